from __future__ import annotations

import inspect
import pickle

import pytest

from trackleed import errors

ALL = [c for _, c in inspect.getmembers(errors, inspect.isclass) if c.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", ALL)
def test_every_error_is_a_trackleed_error(kind: type[errors.TrackleedError]) -> None:
    assert issubclass(kind, errors.TrackleedError)


def test_the_hint_follows_the_message() -> None:
    error = errors.InputError("no frames in 'x'", "say a folder of images")
    assert str(error) == "no frames in 'x' — say a folder of images"
    assert (error.message, error.hint) == ("no frames in 'x'", "say a folder of images")


def test_without_a_hint_the_message_stands_alone() -> None:
    assert str(errors.InputError("no frames in 'x'")) == "no frames in 'x'"


@pytest.mark.parametrize("kind", ALL)
def test_an_error_survives_the_way_back_from_a_worker_process(
    kind: type[errors.TrackleedError],
) -> None:
    error = pickle.loads(pickle.dumps(kind("what", "then")))
    assert type(error) is kind
    assert (error.message, error.hint) == ("what", "then")
