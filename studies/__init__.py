"""Studies of what the paper leaves open: a second pipeline, on top of the first.

`dvc.yaml` here has its stages, `params.yaml` a small setting, about two hours on two cores,
`full.yaml` the values of the full one.
"""

import contracts.environment  # noqa: F401 - for what is imported below
