"""Adapters that make a language model rate sentences as people do; one folder each, no code."""
