"""Snap(t) against Conv(P, e): the claims of the seed paper, run on this link."""
