"""Scenarios: what a run does, as data that every engine reads in the same way."""
