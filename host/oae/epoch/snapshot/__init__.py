"""Snap(t) and Conv(P, e), and checkpoints as processes (docs/epoch-snapshot.md)."""
