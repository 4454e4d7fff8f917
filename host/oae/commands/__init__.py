"""One module a sub-command of `oae`; `in_doubt.py` would be `oae in-doubt`.

Each module has `SUMMARY` (one line), `add_arguments(parser)` and `main(options) -> int`, whose
result is the exit code. Its docstring is the long description in `oae COMMAND --help`. It imports
what is slow to import inside `main`, so that help stays quick.
"""
