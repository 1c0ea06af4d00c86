"""An example: a tracker that follows each spot by its centre of mass."""
