"""The terminal, as all commands write to it."""

import rich.console


class Console(rich.console.Console):
    """Lets the command line know that whoever read the output went away."""

    def on_broken_pipe(self) -> None:
        """Rich would end the program with the exit code of a FAIL."""
        raise BrokenPipeError
