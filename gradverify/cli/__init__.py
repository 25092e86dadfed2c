"""The command line: options in, a pipeline call, reports out, an exit code. One file per command."""

from gradverify.cli.main import main

__all__ = ["main"]
