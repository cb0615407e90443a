"""Training, written once for every model."""
