"""A language encoder tuned on sentences that people rated, under masks."""
