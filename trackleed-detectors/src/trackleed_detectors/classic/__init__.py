"""The detector `classic`: local maxima of the blurred frame, and a test of each peak's shape."""

from trackleed_detectors.classic.detector import Classic

__all__ = ["Classic"]
