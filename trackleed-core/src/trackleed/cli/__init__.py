"""The command line. Each command imports what it needs when it is called."""

from trackleed.cli.app import main

__all__ = ["main"]
