"""The common motion of detections: contraction, shift, and what is none."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")

from trackleed_trackers_point.motion import Motion

SHAPE = (480, 640)
CENTRE = np.array([335.0, 220.0])


def pattern(seed=0, spots=40):
    rng = np.random.default_rng(seed)
    return CENTRE + rng.uniform(-180, 180, (spots, 2))


def table(places, score=50.0):
    """Detections from a list of (k, 2)."""
    xy = np.concatenate(places)
    frame = np.repeat(np.arange(len(places)), [len(p) for p in places])
    return {"frame": frame, "x": xy[:, 0], "y": xy[:, 1], "score": np.full(len(xy), score)}


def scene(n, seed=1, energy=None, shift=None, keep=0.7, false=8):
    """Detections of a pattern: 70 % of the spots of each frame, jittered, and false ones."""
    rng = np.random.default_rng(seed)
    places = []
    for i in range(n):
        scale = 1.0 if energy is None else np.sqrt(energy[0] / energy[i])
        xy = CENTRE + scale * (pattern() - CENTRE) + (0 if shift is None else shift[i])
        xy = xy[rng.random(len(xy)) < keep] + rng.normal(0, 0.3, 2)
        places.append(np.concatenate([xy, rng.uniform(0, 480, (false, 2))]))
    return table(places)


def moved(motion, a, b):
    scale, shift = motion.between(a, b)
    return scale, scale * CENTRE + shift


def test_jumps_of_the_pattern_are_found():
    shift = np.array([(0, 0), (14.0, -9.0), (-6.0, 11.0)])
    motion = Motion(scene(3, shift=shift), None, np.arange(3), SHAPE)
    for a, b in ((0, 1), (1, 2), (2, 0)):
        scale, centre = moved(motion, a, b)
        assert scale == 1
        np.testing.assert_allclose(centre - CENTRE, shift[b] - shift[a], atol=1.0)


def test_contraction_with_the_energy_is_about_a_centre_that_nobody_knows():
    energy = np.array([102.0, 168.0, 187.0, 220.0, 304.0])
    motion = Motion(scene(5, energy=energy), energy, np.arange(5), SHAPE)
    scale, centre = moved(motion, 0, 1)
    assert scale == pytest.approx(np.sqrt(102 / 168))
    np.testing.assert_allclose(centre, CENTRE, atol=1.0)


def test_spots_that_stay_while_the_energy_changes_are_not_contracted():
    energy = np.linspace(20, 150, 30)
    motion = Motion(scene(30), energy, np.arange(30), SHAPE)
    scale, centre = moved(motion, 0, 20)
    assert scale == 1
    np.testing.assert_allclose(centre, CENTRE, atol=1.0)


def test_frames_without_anything_in_common_tell_nothing():
    rng = np.random.default_rng(7)
    places = [pattern()[:15], rng.uniform(0, 480, (15, 2)), np.zeros((0, 2)), pattern()[:2]]
    motion = Motion(table(places), None, np.arange(4), SHAPE)
    assert all(motion.between(0, b) is None for b in (1, 2, 3))
    assert Motion(None, None, np.arange(4), SHAPE).between(0, 1) is None


def test_flicker_does_not_last():
    motion = Motion(scene(5, keep=1.0, false=10), None, np.arange(5), SHAPE)
    for place in range(5):
        lasting = motion.points[place][motion.lasting(place)]
        assert 40 <= len(lasting) <= 42
        nearest = np.hypot(*(pattern()[:, None] - lasting).transpose(2, 0, 1)).min(axis=1)
        assert (nearest < 2).all()


def test_where_nothing_can_be_compared_everything_is_kept():
    assert Motion(scene(1), None, np.arange(1), SHAPE).lasting(0).all()
