"""Boards over a serial line: registers, counters, trace, and the bring-up (docs/bringup.md)."""
