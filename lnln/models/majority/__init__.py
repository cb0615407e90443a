"""The more frequent sign: the median of its training labels."""
