"""Sentences that people rated: where they come from, and what a dataset may train with."""
