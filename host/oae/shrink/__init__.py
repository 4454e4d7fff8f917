"""A run played again, and a failing one reduced to what it takes to fail."""
