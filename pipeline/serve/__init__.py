"""`lnln serve`: a page, and the JSON API behind it, to look at what a model saw."""
