"""Point trackers for trackleed; ``plugin`` describes them."""
