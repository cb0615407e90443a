"""TETFN, the text enhanced transformer fusion network (Pattern Recognition, 2023)."""
