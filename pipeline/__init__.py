"""The DVC stages and the command line: what `dvc.yaml` runs, and what a person types."""

import contracts.environment  # noqa: F401 - for what is imported below
