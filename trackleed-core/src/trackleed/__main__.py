"""``python -m trackleed`` is the command line."""

from trackleed.cli import main

main()
