"""Settings of CENET, and where its variants differ.

Not taken over from the published training: one learning rate for everything, which is that of a
BERT trained along (1e-5; 2e-6 for SIMS) and little for new layers beside a frozen one; Adam with
weight decay inside its gradient, and an epsilon for every dataset.
"""

from typing import Any, Literal, NamedTuple

from pydantic import Field

from lnln.settings import ModelSettings

Variant = Literal["paper", "official"]


class Switches(NamedTuple):
    """The points at which the variants differ.

    Attributes
    ----------
    scores : {"divided", "multiplied"}
        Whether the scores of cross-attention are divided by the square root of their width, as
        elsewhere, or multiplied by 8, as in the published code, where attention may become a
        choice of one row.
    padding : {"left_out", "attended"}
        Whether words see the padding of audio and vision.
    embeddings : {"trained", "frozen"}
        What becomes of BERT's embeddings where the rest of it is trained along.
    features : {"z_scores", "raw"}
        Audio and vision on the scale of the training split's observed rows, or as they come.
    """

    scores: Literal["divided", "multiplied"] = "divided"
    padding: Literal["left_out", "attended"] = "left_out"
    embeddings: Literal["trained", "frozen"] = "trained"
    features: Literal["z_scores", "raw"] = "z_scores"


VARIANTS: dict[Variant, Switches] = {
    "paper": Switches(),
    "official": Switches(
        scores="multiplied", padding="attended", embeddings="frozen", features="raw"
    ),
}


class CENETSettings(ModelSettings):
    """Variant of CENET; its width is the language encoder's."""

    variant: Variant = Field(
        default="paper",
        description="paper: the paper's enhancement in a BERT, on the features themselves; "
        "official: as MMSA's code does",
    )
    dropout: float = Field(default=0.1, ge=0, lt=1, description="dropout probability in the head")

    @property
    def switches(self) -> Switches:
        """What the variant stands for."""
        return VARIANTS[self.variant]


LEARNS: Literal["by_gradient", "at_once"] = "by_gradient"
SETTINGS = CENETSettings
TRAINING: dict[str, Any] = {"language_learning_rate": 1e-5, "gradient_clip": 2.0}
