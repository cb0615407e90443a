"""Stage `card`: the model card of the chosen model."""

from lnln.checkpoints.card import write_card
from lnln.checkpoints.config import CheckpointError
from pipeline.paths import MODEL
from pipeline.stage import run


def main() -> None:
    """Write `README.md` beside the weights."""
    write_card(MODEL)


if __name__ == "__main__":
    run(main, CheckpointError)
