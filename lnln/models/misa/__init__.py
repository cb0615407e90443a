"""MISA, Modality-Invariant and -Specific Representations (arXiv 2005.03545)."""
