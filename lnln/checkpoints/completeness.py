"""Whether a model has learned w, the completeness of language, so that people may be shown it."""

from __future__ import annotations

from collections.abc import Mapping

LEAST_CORRELATION = 0.8  # of w with the truth, on the validation split under its masks
MOST_ERROR = 0.1  # mean distance of w from the truth, which is a share from 0 to 1


def w_withheld(validation: Mapping[str, float | None]) -> str | None:
    """Say why a model's w is shown to nobody; None where it was learned, or the model has none.

    Parameters
    ----------
    validation : mapping of str to float or None
        Metrics of the validation split, `w_mae` and `w_corr` among them if the model estimates w;
        empty where nothing was measured.
    """
    if validation and "w_mae" not in validation:
        return None
    error, correlation = validation.get("w_mae"), validation.get("w_corr")
    if error is None:
        return "w is not shown: it was never compared with the true completeness of the words"
    if correlation is not None and correlation >= LEAST_CORRELATION and error < MOST_ERROR:
        return None
    said = "none, it is constant" if correlation is None else f"{correlation:.2f}"
    return (
        "w is not shown: on the validation split it does not follow the true completeness of the "
        f"words (correlation {said}, at least {LEAST_CORRELATION:g} is needed; mean error "
        f"{error:.2f}, less than {MOST_ERROR:g} is needed)"
    )
