"""LNLN, the Language-dominated Noise-resistant Learning Network (arXiv 2409.20012)."""
