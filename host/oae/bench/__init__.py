"""Benches: what is there, who may use it, and what is wrong with it (docs/bench.md)."""
