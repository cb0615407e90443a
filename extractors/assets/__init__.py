"""Model files and system libraries: what is known, where it is, how to get it."""
