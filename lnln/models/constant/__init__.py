"""A constant: the median of the training labels."""
