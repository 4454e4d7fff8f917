"""`oae epoch`: every claim of the abstract as a row, run again and judged (docs/epoch.md)."""
