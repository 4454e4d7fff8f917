"""What a run is shown as."""
