"""The Wireshark dissector `oae.lua` (docs/wireshark.md)."""
