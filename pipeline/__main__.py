"""`python -m pipeline`: the command line `lnln`."""

from pipeline.commands.main import app

app()
