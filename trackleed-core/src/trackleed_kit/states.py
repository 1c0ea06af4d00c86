"""Words for the column ``state`` of a tracker's rows."""

SEED = "seed"
MEASURED = "measured"
PREDICTED = "predicted"
MASKED = "masked"
SATURATED = "saturated"
LOST = "lost"
EDITED = "edited"
