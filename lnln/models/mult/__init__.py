"""MulT, the Multimodal Transformer for unaligned sequences (arXiv 1906.00295)."""
