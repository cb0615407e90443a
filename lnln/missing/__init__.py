"""Incompleteness: which rows are dropped, and what takes their place."""
