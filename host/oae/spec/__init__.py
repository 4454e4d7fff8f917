"""The specification as data (`link.toml`), what is generated from it, and its loader."""
