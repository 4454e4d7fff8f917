"""Bilateral convergence of domains over links, as a model: docs/epoch-convergence.md."""
