"""Damage done to raw clips before anything is extracted of them: noise, black frames, wrong words.

`registry` names them. The functions in `sound`, `picture` and `words` change decoded arrays and
texts; `one_file` applies them to a file in a worker, `dataset` to a folder of clips or a dataset.
"""
