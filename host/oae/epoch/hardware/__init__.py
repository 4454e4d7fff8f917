"""Bilateral convergence on the link's RTL: rings of domains, killed and cut at any cycle."""
