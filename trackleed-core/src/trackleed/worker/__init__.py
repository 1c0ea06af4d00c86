"""Backends in foreign environments: which environments there are, and the host of their workers."""
