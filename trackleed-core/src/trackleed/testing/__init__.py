"""Whether a backend keeps to its contract: small named checks on frames with known truth.

From the command line: ``trackleed backends check NAME[@ENV]``; in a test suite:
``pytest --trackleed-backend=NAME``. Each check is a function of a `Subject`, which fails with
one sentence that says what was seen and what the contract asks.
"""

from trackleed.testing.checks import Check, CheckFailed, NotApplicable, checks_for
from trackleed.testing.running import Result, run, subject
from trackleed.testing.subject import Subject

__all__ = [
    "Check",
    "CheckFailed",
    "NotApplicable",
    "Result",
    "Subject",
    "checks_for",
    "run",
    "subject",
]
