"""What the medium does to frames, decided by coordinates and never by time."""
