"""Upstream box trackers, each in a worker of its own environment: Python 3.8, numpy and torch.

Nothing of trackleed is imported here; what all of them share is `trackleed_kit.following`.
"""
