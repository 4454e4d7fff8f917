"""Soft errors: which bits an end's state has, and what happens when one of them flips."""
