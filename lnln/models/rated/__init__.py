"""What the language encoder's own head says of the words that are left; learns from no clip."""
