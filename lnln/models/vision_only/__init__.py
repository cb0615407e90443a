"""The face alone: mean and deviation over time of its features, and a small head."""
