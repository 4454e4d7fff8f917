"""Media: what carries the frames of an end that is a process (docs/live.md)."""
