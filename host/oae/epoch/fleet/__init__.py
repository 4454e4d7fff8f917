"""Fleets that change their protocol's version, and what nodes can know (docs/epoch-fleet.md)."""
