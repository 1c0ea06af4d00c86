"""Checks of readers, on a sample that the caller gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed import tables
from trackleed.errors import TrackleedError
from trackleed.testing.checks import NotApplicable, check, keeps_to, require

if TYPE_CHECKING:
    from pathlib import Path

    from trackleed.testing.subject import Subject


@check()
def says_patterns(subject: Subject) -> None:
    """It says which names of files, or folders, are its own."""
    patterns = subject.backend.spec.patterns
    require(patterns, "its patterns are empty: no file would ever be given to it")
    require(not isinstance(patterns, str), f"patterns {patterns!r} must be a tuple")


@check()
def index_complete(subject: Subject) -> None:
    """The index of the sample has a row for every frame."""
    source = _open(subject)
    table = keeps_to(tables.INDEX, source.index)
    numbers = table["frame"].tolist()
    message = f"the index has frames {numbers[:3]}... for {len(source)} frames; it counts from 0"
    require(numbers == list(range(len(source))), message)


@check()
def frames_alike(subject: Subject) -> None:
    """Every frame of the sample has the shape and type that the source states."""
    source = _open(subject)
    require(len(source) > 0, "the sample has no frames")
    for i in {0, len(source) // 2, len(source) - 1}:
        frame = source.read(i)
        shape, dtype = np.shape(frame), np.asarray(frame).dtype
        require(shape == tuple(source.shape), f"frame {i} is {shape}, stated is {source.shape}")
        require(dtype == source.dtype, f"frame {i} is {dtype}, stated is {source.dtype}")


@check()
def repeatable(subject: Subject) -> None:
    """A frame reads the same twice, and in any order."""
    source = _open(subject)
    last = len(source) - 1
    frames = [np.array(source.read(i)) for i in (0, last, 0)]
    require(np.array_equal(frames[0], frames[2]), "frame 0 reads otherwise the second time")


@check()
def clear_errors(subject: Subject) -> None:
    """A path that is not there is refused in one line."""
    path = sample(subject).parent / "there-is-no-such-file"
    try:
        subject.make().open(path)
    except TrackleedError as error:
        require("\n" not in error.message, "the message has more than one line")
        return
    except Exception as error:
        require(False, f"it raises {type(error).__name__}; raise trackleed.errors.InputError")
    require(False, "it opens a path that is not there")


def sample(subject: Subject) -> Path:
    """The file or folder that the caller gave to read."""
    if subject.sample is None:
        raise NotApplicable("no sample was given: --sample PATH, or --trackleed-sample=PATH")
    return subject.sample


def _open(subject: Subject) -> Any:
    return subject.make().open(sample(subject))


CHECKS = (says_patterns, index_complete, frames_alike, repeatable, clear_errors)
