"""Ridge regression on the mean of every feature over the observed rows of a clip."""
