"""The Python end as a process on a medium: the reference end, its host, and wall-clock time."""
