"""Receives forms, and keeps a summary of the case that each belongs to."""
