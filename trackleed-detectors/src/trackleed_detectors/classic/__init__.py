"""The detector `classic`: white top-hat, local maxima, and a test of each peak's shape."""

from trackleed_detectors.classic.detector import Classic

__all__ = ["Classic"]
