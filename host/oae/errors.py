"""What can go wrong in a way that a user can put right."""


class OaeError(Exception):
    """An error whose message is one line that tells the user what to change.

    The command prints the line, without a traceback, and ends with `exit_code`.
    """

    exit_code = 2


class CannotPlayError(OaeError):
    """A scenario has what these ends, or what is between them, cannot do; the message says what."""
