"""MMIM, MultiModal InfoMax (arXiv 2109.00412)."""
