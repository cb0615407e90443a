"""The report: one HTML page about a run that opens anywhere and loads nothing."""
