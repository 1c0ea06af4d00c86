"""What an adapter raises for the user; trackleed turns each into its own kind of error."""

from __future__ import annotations

from typing import Optional


class KitError(Exception):
    """Base of the errors that are meant for the user.

    Parameters
    ----------
    message : str
        What was wrong, with the value, and what is allowed. One line.
    hint : str, optional
        What to do next, usually a command.
    """

    def __init__(self, message: str, hint: Optional[str] = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class BadInput(KitError):
    """Something that the user gave cannot be used."""


class NotReady(KitError):
    """Something that the backend needs is missing, such as a checkpoint."""


class Damaged(KitError):
    """A frame cannot be read as it stands."""
