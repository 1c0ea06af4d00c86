"""Box trackers for trackleed; ``plugin`` describes them."""
