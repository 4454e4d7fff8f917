"""Engines: what a scenario can be run on. Each leaves a run directory with the same evidence."""
