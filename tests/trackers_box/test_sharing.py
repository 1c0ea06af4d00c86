"""Work that is shared among threads."""

from __future__ import annotations

import numpy as np
import pytest
from pandas.testing import assert_frame_equal

pytest.importorskip("numba")

from tests.trackers_box.films import by_pattern, film
from trackleed_trackers_box import sharing


def test_each_turn_is_done_once_and_parts_hold_about_as_many_rows(monkeypatch):
    monkeypatch.setattr(sharing.os, "cpu_count", lambda: 3)
    monkeypatch.setattr(sharing, "_LEAST", 10)
    start, done = np.append(0, np.cumsum(np.r_[np.full(9, 90), np.full(90, 1), 0])), []
    sharing.shared(lambda first, last, say: done.append((first, last, say)), start, "said")
    done.sort()
    assert [first for first, _, _ in done] == [0] + [last for _, last, _ in done[:-1]]
    assert done[-1][1] == len(start) - 1
    assert len(done) == 3
    assert np.diff([start[first] for first, _, _ in done]).max() <= 300 + 90
    assert {say for _, _, say in done} == {"said"}


@pytest.mark.parametrize("start", [[0], [0, 0, 0], [0, 5]])
def test_little_or_nothing_is_done_in_one_part(start):
    done = []
    sharing.shared(lambda *part: done.append(part), np.array(start))
    assert done == [(0, len(start) - 1)]


def test_what_fails_in_a_thread_fails(monkeypatch):
    monkeypatch.setattr(sharing.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(sharing, "_LEAST", 1)

    def fails(first, last):
        if first == 0:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sharing.shared(fails, np.arange(9))


def test_tracks_are_the_same_by_any_number_of_threads(monkeypatch):
    scene = film(60, np.random.default_rng(1).normal(0, 3, (60, 2)))
    scene.there[20:24, ::5] = False
    false = [
        (k % 60, *at) for k, at in enumerate(np.random.default_rng(2).uniform(9, 500, (300, 2)))
    ]
    given, found = scene.detections(extra=false), []
    monkeypatch.setattr(sharing, "_LEAST", 1)
    for threads in (1, 2, 3):
        monkeypatch.setattr(sharing.os, "cpu_count", lambda n=threads: n)
        found.append(by_pattern(60, given)[0])
    assert len(found[0])
    for other in found[1:]:
        assert_frame_equal(other, found[0], check_exact=True)
