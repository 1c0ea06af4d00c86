"""Spot detectors for trackleed; ``plugin`` describes them."""
