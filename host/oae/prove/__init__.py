"""Formal proofs of the RTL: the jobs of hdl/formal, run by SBY, and what they came to."""
