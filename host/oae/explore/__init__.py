"""Exhaustive exploration of two reference ends and an adversarial channel.

The steps are those of `oae.model`, the very functions that run beside the RTL. A *world* says what
may happen at each end and what must hold; a *channel* says what the adversary may do to frames; a
*budget* bounds the adversary, so that the search ends. In every reachable state the promises of
docs/protocol.md, section 8, are checked, and at the end whether every state can still resolve.
"""
