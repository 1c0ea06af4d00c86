"""Masks: which pixels of a series show the screen, and may be trusted.

A mask is a bool array (y, x), True where a pixel is valid. It is given by the
user (`load_mask`) or found from the frames (`auto_mask`), and one mask holds
for the whole series.
"""

from trackleed.masks.auto import AutoMask, auto_mask, hot_pixels
from trackleed.masks.files import load_mask, save_mask

__all__ = ["AutoMask", "auto_mask", "hot_pixels", "load_mask", "save_mask"]
