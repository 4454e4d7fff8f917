"""What N domains hold, and how often it is one epoch (docs/epoch-lattice.md)."""
