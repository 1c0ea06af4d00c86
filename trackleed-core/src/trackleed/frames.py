"""The frames of one series, as the core and every in-process backend see them.

The classes live in `trackleed_kit`, because a backend in a foreign environment
is handed the very same ones.
"""

from trackleed_kit.frames import ArraySource, Correction, FrameSequence, NoiseModel

__all__ = ["ArraySource", "Correction", "FrameSequence", "NoiseModel"]
