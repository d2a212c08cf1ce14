//! The order of stages as Mermaid and DOT.
