"""Frames of the link for scapy."""
