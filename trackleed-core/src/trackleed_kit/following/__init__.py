"""From an upstream tracker to trackleed's rows: what all adapters share.

An adapter keeps to `Model`: it is given pictures and queries, and says picture by picture where
each query is. `track` does the rest: one grey scale for the series, windows resized to what the
model wants, sections of long series, both directions, and states told from the pixels.
"""

from trackleed_kit.following.engine import Model, Options, track
from trackleed_kit.following.masks import bounded, index_mask, of_masks
from trackleed_kit.following.pictures import Grey, Window
from trackleed_kit.following.starts import seeds_for

__all__ = [
    "Grey",
    "Model",
    "Options",
    "Window",
    "bounded",
    "index_mask",
    "of_masks",
    "seeds_for",
    "track",
]
