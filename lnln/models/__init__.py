"""Models under one interface, a folder each."""
