"""One interface: whatever model stands behind it is trained, judged, kept and asked alike."""

import os
import signal
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lnln import load, predict
from lnln.checkpoints.checkpoint import Checkpoint, save
from lnln.data.batches import Inputs
from lnln.data.features import FeatureSet
from lnln.data.language import FrozenLanguageEncoder
from lnln.evaluation.summary import by_condition, results
from lnln.evaluation.sweep import conditions, sweep
from lnln.evaluation.table import slices
from lnln.models import registry
from lnln.models.interface import Estimator, Network, Targets, Terms
from lnln.settings import ModelSettings, Shapes, TrainSettings
from lnln.training.resume import StateFile, Stopped
from lnln.training.run import train
from tests.lnln.models.conftest import Run, checkpoint_of


class ToySettings(ModelSettings):
    width: int = 4


class Said(NamedTuple):
    prediction: Tensor
    w: Tensor | None = None


class Toy(Network):
    """Sentiment from the mean loudness: all that a model of one's own has to have."""

    def __init__(
        self, settings: ToySettings, shapes: Shapes, language: nn.Module | None = None
    ) -> None:
        super().__init__(settings, shapes, language)
        self.hidden = nn.Linear(shapes.audio_dim, settings.width)
        self.out = nn.Linear(settings.width, 1)

    def forward(self, incomplete: Inputs, complete: Inputs | None = None) -> Said:
        values, mask, _ = incomplete.audio
        mean = values.sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(min=1)
        return Said(self.out(torch.tanh(self.hidden(mean))).squeeze(1))

    def losses(self, output: Said, targets: Targets) -> Terms:
        return {"total": F.mse_loss(output.prediction, targets.label)}


class Remembering(Toy):
    """Learns from a label per clip that moves towards its own answers, as Self-MM's do."""

    def before_training(self, labels: Tensor) -> None:
        self.kept = labels.clone()
        self.epochs = torch.zeros(())

    def losses(self, output: Said, targets: Targets) -> Terms:
        error = F.mse_loss(output.prediction, self.kept[targets.clip])
        return {"total": error, "label": F.mse_loss(output.prediction, targets.label)}

    def after_step(self, output: Said, targets: Targets) -> None:
        self.kept[targets.clip] += 0.3 * (output.prediction.detach() - self.kept[targets.clip])

    def after_epoch(self, epoch: int) -> None:
        assert epoch == self.epochs + 1
        self.epochs = self.epochs + 1

    def training_state(self) -> dict[str, Tensor]:
        return {"kept": self.kept, "epochs": self.epochs}

    def load_training_state(self, state: dict[str, Tensor]) -> None:
        self.kept, self.epochs = state["kept"], state["epochs"]


class Alternating(Toy):
    """Two losses, each with a layer of its own, minimised in turns."""

    passes = ("hidden", "total")

    def losses(self, output: Said, targets: Targets) -> Terms:
        error = F.mse_loss(output.prediction, targets.label)
        return {"total": error, "hidden": error}

    def parameter_groups(self, training: TrainSettings) -> list[dict[str, Any]]:
        rate = training.learning_rate
        return [
            {"params": self.hidden.parameters(), "lr": rate, "minimises": "hidden"},
            {"params": self.out.parameters(), "lr": rate},
        ]


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_REGISTERED", {})
    registry.register("toy", ToySettings, learning_rate=0.1)(Toy)
    registry.register("remembering", ToySettings)(Remembering)
    registry.register("alternating", ToySettings)(Alternating)


def swept(
    checkpoint: Checkpoint, test_set: FeatureSet, manifest: pa.Table, language: Any
) -> pa.Table:
    return sweep(
        checkpoint,
        test_set,
        manifest,
        model=checkpoint.config.model,
        train_seed=1,
        conditions=conditions(["random"], [0.0, 0.5], draws=2),
        masks_seed=1,
        language=language,
    )


def test_a_model_of_one_s_own_is_trained_judged_kept_and_asked(
    make_inputs: Callable[..., Run],
    make_manifest: Callable[..., pa.Table],
    make_tables: Callable[..., dict[str, pa.Table]],
    test_set: FeatureSet,
    language: FrozenLanguageEncoder,
    tmp_path: Path,
) -> None:
    kind = registry.find("toy")
    settings = TrainSettings(epochs=20, batch_size=8, **kind.training)
    run = make_inputs(name="toy", model_settings=kind.settings(width=3), settings=settings)
    trained = train(**run)
    history = trained.history
    assert history[-1]["train/total"] < 0.7 * history[0]["train/total"]
    assert trained.best_epoch == 1 + int(np.argmin([row["valid/mae"] for row in history]))
    assert "valid/w_mae" not in history[0]

    checkpoint_of(trained, run).save_pretrained(tmp_path)
    checkpoint = load(tmp_path)
    assert isinstance(checkpoint.model, Toy)
    assert checkpoint.config.settings == ToySettings(width=3)
    assert "| toy.width | 3 |" in (tmp_path / "README.md").read_text("utf-8")

    table = swept(checkpoint, test_set, make_manifest(test_set), language)
    assert table.num_rows == 7 * (1 + 2 + 3)  # single modalities as well
    assert table["w"].null_count == table.num_rows
    asked = list(slices(table))
    summary = results(
        asked,
        by_condition(asked, "mosi"),
        "mosi",
        pattern="random",
        missing_rate=0.5,
        rates=[0.0, 0.5],
        seed=1,
        resamples=20,
    )
    assert summary["models"].keys() == {"toy"}
    assert summary["models"]["toy"]["mae"] > 0 and "w_mae" not in summary["models"]["toy"]

    answers = predict(SimpleNamespace(**make_tables({"a": 1.0, "b": -1.0})), checkpoint)
    assert [a.w for a in answers] == [None, None]
    assert answers[0].prediction > 0 > answers[1].prediction


def test_a_number_per_clip_survives_an_interruption(
    make_inputs: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_inputs(
        name="remembering",
        model_settings=ToySettings(),
        settings=TrainSettings(epochs=4, batch_size=4, learning_rate=1e-2, averaging=0.5),
    )
    steps, compute = count(), Remembering.losses

    def terminate_in_the_eighth(self: Remembering, *arguments: Any) -> Terms:
        if next(steps) == 7:  # the third step of the second epoch's five
            os.kill(os.getpid(), signal.SIGTERM)
        return compute(self, *arguments)

    undisturbed = train(**run)
    state = StateFile(tmp_path / "run.state")
    with monkeypatch.context() as patched:
        patched.setattr(Remembering, "losses", terminate_in_the_eighth)
        with pytest.raises(Stopped, match="SIGTERM"):
            train(**run, state=state)
    kept = (state.read() or {})["training"]["hooks"]
    labels = torch.from_numpy(run["train_set"].known_labels())
    assert kept["epochs"] == 1 and not torch.equal(kept["kept"], labels)
    resumed = train(**run, state=state)
    assert resumed.history == undisturbed.history
    assert torch.equal(resumed.model.kept, undisturbed.model.kept)
    assert resumed.model.epochs == undisturbed.model.epochs == 4
    for name, trained in (("undisturbed", undisturbed), ("resumed", resumed)):
        save(tmp_path / name, checkpoint_of(trained, run))
    for file in ("model.safetensors", "config.json"):
        first, second = (tmp_path / n / file for n in ("undisturbed", "resumed"))
        assert first.read_bytes() == second.read_bytes()


def test_hooks_see_every_part_of_an_accumulated_batch(
    make_inputs: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    clips: list[int] = []
    monkeypatch.setattr(
        Remembering, "after_step", lambda self, output, targets: clips.extend(targets.clip.tolist())
    )
    inputs = make_inputs(model_settings=ToySettings()) | {"name": "remembering"}
    once = inputs["settings"].model_copy(update={"epochs": 1, "accumulation": 3})
    train(**inputs | {"settings": once})
    assert sorted(clips) == list(range(len(inputs["train_set"])))


def test_state_of_hooks_is_refused_where_several_processes_train(
    make_inputs: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    several = SimpleNamespace(
        device=torch.device("cpu"), num_processes=2, process_index=0, is_main_process=True
    )
    monkeypatch.setattr("lnln.training.run.accelerator", lambda: several)
    with pytest.raises(ValueError, match=r"Remembering keeps a state of its own .* one process"):
        train(**make_inputs(model_settings=ToySettings()) | {"name": "remembering"})


def test_losses_are_minimised_in_passes_of_their_own(
    make_inputs: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[set[str]] = []
    step = torch.optim.AdamW.step

    def watched(optimiser: torch.optim.AdamW, *args: Any) -> Any:
        groups = optimiser.param_groups
        before = [[p.detach().clone() for p in group["params"]] for group in groups]
        step(optimiser, *args)
        moved.append(
            {
                group["minimises"]
                for group, old in zip(groups, before, strict=True)
                if not all(map(torch.equal, group["params"], old))
            }
        )

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    inputs = make_inputs(model_settings=ToySettings()) | {"name": "alternating"}
    settings = inputs["settings"].model_copy(update={"epochs": 2})
    trained = train(**inputs | {"settings": settings})
    batches = -(-len(inputs["train_set"]) // settings.batch_size)
    assert moved == ([{"hidden"}] * batches + [{"total"}] * batches) * 2
    assert trained.history[-1]["train/total"] < 20


def test_what_hooks_keep_matters_to_what_is_learnt(make_inputs: Callable[..., Run]) -> None:
    run = make_inputs(model_settings=ToySettings())
    assert (
        train(**run | {"name": "toy"}).history[-1]["train/total"]
        != train(**run | {"name": "remembering"}).history[-1]["train/label"]
    )


def test_estimator_that_is_fitted_on_complete_clips_sees_them_once_and_whole(
    make_inputs: Callable[..., Run],
) -> None:
    seen: list[FeatureSet] = []

    class Looking(Estimator):
        needs_masks = False

        def fit(self, train_sets: Any, valid_sets: Any) -> None:
            seen.extend(train_sets)

        def predict(self, features: FeatureSet) -> Any:
            from lnln.models.interface import Scores

            return Scores(np.zeros(len(features)), None)

    registry.register("looking")(Looking)
    registry.register("asking")(type("Asking", (Looking,), {"needs_masks": True}))
    run = make_inputs(model_settings=ModelSettings(), settings=TrainSettings(epochs=3))
    train(**run | {"name": "looking"})
    (complete,) = seen
    assert (complete.text.completeness() == 1).all()
    seen.clear()
    train(**run | {"name": "asking"})
    assert len(seen) == 3  # the masks of three epochs
    assert all((clips.text.completeness() < 1).any() for clips in seen)
    assert seen[0].text.completeness().tolist() != seen[1].text.completeness().tolist()
