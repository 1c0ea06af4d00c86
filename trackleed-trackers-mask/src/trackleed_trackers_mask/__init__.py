"""Mask trackers for trackleed: adapters for video object segmentation."""
