//! From a plan to changed hosts: connect, observe, apply stage by stage, wait for health.

pub mod schedule;
