"""The pickles of processed features that this field passes around, in and out (MMSA's layout)."""
