"""ALMT, the Adaptive Language-guided Multimodal Transformer (arXiv 2310.05804)."""
