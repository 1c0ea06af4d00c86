"""Noise model and saturation level of a camera, from the series itself."""

from trackleed.noise.model import NoiseEstimate, estimate_noise, measure_noise
from trackleed.noise.saturation import estimate_saturation

__all__ = ["NoiseEstimate", "estimate_noise", "estimate_saturation", "measure_noise"]
