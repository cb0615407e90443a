"""What extractors and models must agree on: schemas of the tables that flow, and their files."""
