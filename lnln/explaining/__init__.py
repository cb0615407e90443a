"""What moved an answer: found by taking words, voice and face away."""
