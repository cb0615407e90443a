"""Self-MM, self-supervised multi-task learning (arXiv 2102.04830)."""
