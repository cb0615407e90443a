"""Language alone: the mean of the hidden states, and a small head."""
