"""Kinds of values that several commands take on the command line."""

import argparse
import threading


def positive(text: str) -> int:
    """A whole number above 0, as `type` of an option."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("not a positive number")
    return number


def seconds(text: str) -> float:
    """A time above 0 that a timer can wait for, as `type` of an option."""
    number = float(text)
    if not 0 < number <= threading.TIMEOUT_MAX:
        raise argparse.ArgumentTypeError("not a time above 0 seconds")
    return number
