"""Testbed for an Open Atomic Ethernet bilateral link: scenarios, engines, evidence, verdicts."""

__version__ = "0.1.0"
