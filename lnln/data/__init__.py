"""Features in memory, and the batches that networks read."""
