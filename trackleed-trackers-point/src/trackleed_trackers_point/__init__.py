"""Point trackers for trackleed: Lucas-Kanade flow and learned ones. None has landed yet."""
