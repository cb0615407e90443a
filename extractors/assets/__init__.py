"""Model files and system libraries: which are known, where they are, how to get them."""
