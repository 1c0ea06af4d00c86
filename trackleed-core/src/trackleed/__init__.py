"""trackleed: spot tracking and analysis for low-energy electron diffraction."""

__version__ = "0.1.0"
