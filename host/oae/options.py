"""Kinds of values that several commands take on the command line."""

import argparse


def positive(text: str) -> int:
    """A whole number above 0, as `type` of an option."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("not a positive number")
    return number
