"""Pattern centre, radius and intensity: pure functions from tables to tables.

Import from the modules: `centers`, `radii` and `apertures`.
"""
