"""One short module per stage of dvc.yaml."""
