"""Datasets of features in the format of MMSA: one pickle with all splits and modalities."""
