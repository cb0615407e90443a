"""What the extractors and the models agree on: schemas of their tables, and file formats."""
