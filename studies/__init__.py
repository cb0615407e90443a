"""Studies of what the paper leaves open: a second pipeline, on top of the first.

`dvc.yaml` here has its stages, `params.yaml` a setting that ends within an hour on two cores,
`full.yaml` the values of the full one.
"""
