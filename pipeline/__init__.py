"""The DVC stages and the command line: what `dvc.yaml` runs, and what a person types."""
