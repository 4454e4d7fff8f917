"""Checkpoint and fleet update as instances of one predicate on epoch vectors."""
