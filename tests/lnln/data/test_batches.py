"""Dropped rows, re-encoded sentences, padded batches."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from lnln.data.batches import Layout, Recall, check_language, collate, in_batches, incomplete
from lnln.data.features import FeatureSet, Lengths
from lnln.data.language import FrozenLanguageEncoder
from lnln.inference import score
from lnln.missing.masks import Kept, evaluation_masks
from lnln.models.lnln.network import LNLN
from lnln.settings import NetworkSettings, Shapes

UNK, PAD = 1, 0


@pytest.fixture(scope="module")
def clips(make_set: Callable[..., FeatureSet]) -> FeatureSet:
    return make_set("test", 12, without={"test/003": ("text",)})


@pytest.fixture(scope="module")
def shapes(lengths: Lengths) -> Shapes:
    return Shapes(
        text_dim=8,
        audio_dim=4,
        vision_dim=3,
        text_length=lengths.text,
        audio_length=lengths.audio,
        vision_length=lengths.vision,
    )


def masks(clips: FeatureSet, rate: float = 0.5) -> dict[str, Kept]:
    return evaluation_masks(clips, rate, seed=1, purpose="test")


def test_dropped_rows_are_zeros_and_no_longer_observed(
    clips: FeatureSet, language: FrozenLanguageEncoder
) -> None:
    drawn = masks(clips)
    lost = incomplete(clips, drawn, language)
    for modality in ("audio", "vision"):
        kept = np.concatenate([getattr(drawn[c], modality) for c in clips.clip_ids])
        before, after = clips.modality(modality), lost.modality(modality)
        assert not after.values[~kept].any()
        assert np.array_equal(after.values[kept], before.values[kept])
        assert np.array_equal(after.observed, before.observed & kept)


def test_sentence_that_reads_the_same_is_encoded_once(
    clips: FeatureSet, language: FrozenLanguageEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[int] = []
    forward = type(language).forward

    def counting(self: FrozenLanguageEncoder, ids: torch.Tensor, mask: torch.Tensor) -> Any:
        encoded.append(len(ids))
        return forward(self, ids, mask)

    monkeypatch.setattr(type(language), "forward", counting)
    recall = Recall()
    plain = [incomplete(clips, masks(clips, rate), language) for rate in (0.8, 0.9, 1.0)]
    without, encoded[:] = sum(encoded), []
    found = [incomplete(clips, masks(clips, rate), language, recall) for rate in (0.8, 0.9, 1.0)]
    sentences = {
        f.text.token_ids[f.text.rows(i)].tobytes()
        for f in found
        for i in np.flatnonzero(f.text.count(~f.text.observed & ~f.text.special))
    }
    assert sum(encoded) == len(sentences) < without
    for ours, theirs in zip(found, plain, strict=True):
        assert np.allclose(ours.text.values, theirs.text.values, atol=1e-6)


def test_recall_forgets_what_was_not_asked_for_longest() -> None:
    recall, states = Recall(megabytes=2.5 * 4e-6), np.ones((1, 1), np.float32)
    for tokens in (b"a", b"b"):
        recall.keep(tokens, states)
    assert recall.find(b"a") is not None
    recall.keep(b"c", states)
    assert [recall.find(tokens) is None for tokens in (b"a", b"b", b"c")] == [False, True, False]


def test_dropped_tokens_are_unknown_and_the_sentence_is_encoded_anew(
    clips: FeatureSet, language: FrozenLanguageEncoder
) -> None:
    drawn = masks(clips)
    lost = incomplete(clips, drawn, language).text
    kept = np.concatenate([drawn[c].text for c in clips.clip_ids])
    assert (lost.token_ids[~kept] == UNK).all()
    assert np.array_equal(lost.token_ids[kept], clips.text.token_ids[kept])
    for clip in range(len(clips)):
        rows = lost.rows(clip)
        tokens = torch.from_numpy(lost.token_ids[rows])[None]
        alone = language(tokens, tokens >= 0)[0].numpy()
        assert np.allclose(lost.values[rows], alone, atol=1e-5)


def test_sentences_that_lost_nothing_keep_their_stored_states(
    clips: FeatureSet, language: FrozenLanguageEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(language, "forward", lambda *_: pytest.fail("encoded a complete sentence"))
    assert incomplete(clips, masks(clips, 0.0), language).text.values is clips.text.values


def test_nothing_of_the_input_changes(clips: FeatureSet, language: FrozenLanguageEncoder) -> None:
    before = clips.audio.values.copy(), clips.text.values.copy(), clips.text.token_ids.copy()
    incomplete(clips, masks(clips), language)
    after = clips.audio.values, clips.text.values, clips.text.token_ids
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_completeness_is_the_share_of_content_tokens_left(
    clips: FeatureSet, language: FrozenLanguageEncoder
) -> None:
    drawn = masks(clips)
    found = incomplete(clips, drawn, language).text.completeness()
    for clip, clip_id in enumerate(clips.clip_ids):
        content = drawn[clip_id].text[1:-1]
        assert found[clip] == (content.mean() if len(content) else 0)
    assert found[3] == 0  # no words
    assert (np.delete(clips.text.completeness(), 3) == 1).all()


def test_missing_and_misfitting_masks_are_errors(
    clips: FeatureSet, language: FrozenLanguageEncoder
) -> None:
    drawn = masks(clips)
    with pytest.raises(ValueError, match="'test/000' has no mask"):
        incomplete(clips, {}, language)
    short = drawn | {"test/001": drawn["test/001"]._replace(audio=np.ones(2, dtype=bool))}
    with pytest.raises(ValueError, match="audio mask of the clip 'test/001' has 2 rows"):
        incomplete(clips, short, language)


def test_paper_batches_hold_hidden_states_padded_to_the_longest(
    clips: FeatureSet, shapes: Shapes, tiny: NetworkSettings
) -> None:
    batch = collate(clips, Layout.of(tiny, shapes, finetuned=False))
    for name in ("text", "audio", "vision"):
        sequence, ragged = getattr(batch, name), clips.modality(name)
        assert sequence.values.shape == (12, ragged.counts.max(), ragged.values.shape[1])
        assert sequence.mask.sum(dim=1).tolist() == ragged.counts.tolist()
        assert not sequence.values[~sequence.mask].any()
        assert np.array_equal(sequence.values[sequence.mask].numpy(), ragged.values)


def test_masked_batches_leave_missing_rows_out_of_attention_and_keep_unk(
    clips: FeatureSet, shapes: Shapes, tiny: NetworkSettings, language: FrozenLanguageEncoder
) -> None:
    lost = incomplete(clips, masks(clips), language)
    masked = tiny.model_copy(update={"variant": "masked"})
    plain = collate(lost, Layout.of(tiny, shapes, finetuned=False))
    batch = collate(lost, Layout.of(masked, shapes, finetuned=False))
    for name in ("audio", "vision"):
        sequence, before = getattr(batch, name), getattr(plain, name)
        assert sequence.mask.sum() == lost.modality(name).observed.sum() < before.mask.sum()
        assert not (sequence.mask & ~before.mask).any()
    assert torch.equal(batch.text.mask, plain.text.mask)


def test_values_of_missing_rows_do_not_matter_to_the_masked_variant(
    clips: FeatureSet, shapes: Shapes, tiny: NetworkSettings, language: FrozenLanguageEncoder
) -> None:
    lost = incomplete(clips, masks(clips), language)
    loud = replace(
        lost,
        audio=replace(
            lost.audio, values=np.where(lost.audio.observed[:, None], lost.audio.values, 9)
        ),
    )
    for variant, same in (("masked", True), ("paper", False)):
        settings = tiny.model_copy(update={"variant": variant})
        layout = Layout.of(settings, shapes, finetuned=False)
        model = LNLN(settings, shapes).eval()
        with torch.no_grad():
            said, again = (model(collate(c, layout)).sentiment for c in (lost, loud))
        assert torch.equal(said, again) is same


def test_finetuned_batches_hold_token_ids(
    clips: FeatureSet, shapes: Shapes, tiny: NetworkSettings
) -> None:
    text = collate(clips, Layout.of(tiny, shapes, finetuned=True)).text
    assert text.values.dtype == torch.int64
    assert (text.values[~text.mask] == PAD).all()
    assert np.array_equal(text.values[text.mask].numpy(), clips.text.token_ids)


def test_official_batches_hold_token_ids_padded_to_the_greatest_length(
    clips: FeatureSet, shapes: Shapes, tiny: NetworkSettings
) -> None:
    official = tiny.model_copy(update={"variant": "official"})
    batch = collate(clips, Layout.of(official, shapes, finetuned=False))
    assert batch.text.values.shape == (12, shapes.text_length)
    assert batch.audio.values.shape == (12, shapes.audio_length, 4)
    assert batch.vision.values.shape == (12, shapes.vision_length, 3)


def test_masked_sentences_without_an_encoder_are_an_error_where_states_are_read(
    clips: FeatureSet, shapes: Shapes, tiny: NetworkSettings
) -> None:
    lost = incomplete(clips, masks(clips))
    with pytest.raises(ValueError, match="give the language encoder"):
        collate(lost, Layout.of(tiny, shapes, finetuned=False))
    collate(lost, Layout.of(tiny, shapes, finetuned=True))


def test_sentences_that_may_have_been_cut_are_not_compared(
    clips: FeatureSet, language: FrozenLanguageEncoder
) -> None:
    short = clips.cut(Lengths(text=5, audio=20, vision=10))
    check_language(short, language, length=5)
    with pytest.raises(ValueError, match=r"does not give the hidden states .*tiny"):
        check_language(short, language, length=50)


def test_batches_are_of_like_size_and_hold_every_clip_once() -> None:
    batches = in_batches(range(130), 64)
    assert [len(b) for b in batches] == [44, 43, 43]
    assert np.concatenate(batches).tolist() == list(range(130))
    assert [len(b) for b in in_batches(range(3), 64)] == [3]


def test_scores_come_back_in_the_order_of_the_clips(
    clips: FeatureSet, shapes: Shapes, tiny: NetworkSettings
) -> None:
    model, layout = LNLN(tiny, shapes), Layout.of(tiny, shapes, finetuned=False)
    together = score(model, clips, layout)
    for clip in range(len(clips)):
        alone = score(model, clips.take([clip]), layout)
        assert np.allclose([s[clip] for s in together], [s[0] for s in alone], atol=1e-5)
