"""Environments that backends are hosted in: which there are, what they lack, how to make one.

Reading, looking and placing import nothing heavy and start no process, so that
``trackleed backends`` can say for every backend what it still needs.
"""

from trackleed.worker.environments.looking import Lack, Readiness, lacks, lacks_kit, readiness
from trackleed.worker.environments.model import (
    FILE,
    Environment,
    find_environment,
    load_environments,
    readable_environments,
    user_file,
)
from trackleed.worker.environments.placing import Place, place, split_address

__all__ = [
    "FILE",
    "Environment",
    "Lack",
    "Place",
    "Readiness",
    "find_environment",
    "lacks",
    "lacks_kit",
    "load_environments",
    "place",
    "readable_environments",
    "readiness",
    "split_address",
    "user_file",
]
