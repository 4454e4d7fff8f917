"""The fault relay: passes frames on between two media, with the faults of a scenario."""
