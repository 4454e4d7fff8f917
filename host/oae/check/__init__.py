"""Checkers: they know only what a run left behind, never which engine made it."""
