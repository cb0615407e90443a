"""One clip, one picture: what the model saw and heard of it, and what moved the answer."""
