"""Dropped rows: zeros, [UNK], and sentences encoded anew."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from lnln.data.features import FeatureSet
from lnln.data.language import FrozenLanguageEncoder
from lnln.missing.dropping import SentenceCache, drop
from lnln.missing.masks import Kept

UNK = 1

MasksAt = Callable[..., dict[str, Kept]]


def test_dropped_rows_are_zeros_and_no_longer_observed(
    masks_at: MasksAt, clips: FeatureSet, language: FrozenLanguageEncoder
) -> None:
    drawn = masks_at(clips)
    lost = drop(clips, drawn, language)
    for modality in ("audio", "vision"):
        kept = np.concatenate([getattr(drawn[c], modality) for c in clips.clip_ids])
        before, after = clips.modality(modality), lost.modality(modality)
        assert not after.values[~kept].any()
        assert np.array_equal(after.values[kept], before.values[kept])
        assert np.array_equal(after.observed, before.observed & kept)


def test_sentence_that_reads_the_same_is_encoded_once(
    masks_at: MasksAt,
    clips: FeatureSet,
    language: FrozenLanguageEncoder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    encoded: list[int] = []
    forward = type(language).forward

    def counting(self: FrozenLanguageEncoder, ids: torch.Tensor, mask: torch.Tensor) -> Any:
        encoded.append(len(ids))
        return forward(self, ids, mask)

    monkeypatch.setattr(type(language), "forward", counting)
    cache = SentenceCache()
    plain = [drop(clips, masks_at(clips, rate), language) for rate in (0.8, 0.9, 1.0)]
    without, encoded[:] = sum(encoded), []
    found = [drop(clips, masks_at(clips, rate), language, cache) for rate in (0.8, 0.9, 1.0)]
    sentences = {
        f.text.token_ids[f.text.rows(i)].tobytes()
        for f in found
        for i in np.flatnonzero(f.text.count(~f.text.observed & ~f.text.special))
    }
    assert sum(encoded) == len(sentences) < without
    for ours, theirs in zip(found, plain, strict=True):
        assert np.allclose(ours.text.values, theirs.text.values, atol=1e-6)


def test_cache_forgets_what_was_not_asked_for_longest() -> None:
    cache, states = SentenceCache(megabytes=2.5 * 4e-6), np.ones((1, 1), np.float32)
    for tokens in (b"a", b"b"):
        cache.put(tokens, states)
    assert cache.get(b"a") is not None
    cache.put(b"c", states)
    assert [cache.get(tokens) is None for tokens in (b"a", b"b", b"c")] == [False, True, False]


def test_dropped_tokens_are_unknown_and_the_sentence_is_encoded_anew(
    masks_at: MasksAt, clips: FeatureSet, language: FrozenLanguageEncoder
) -> None:
    drawn = masks_at(clips)
    lost = drop(clips, drawn, language).text
    kept = np.concatenate([drawn[c].text for c in clips.clip_ids])
    assert (lost.token_ids[~kept] == UNK).all()
    assert np.array_equal(lost.token_ids[kept], clips.text.token_ids[kept])
    for clip in range(len(clips)):
        rows = lost.rows(clip)
        tokens = torch.from_numpy(lost.token_ids[rows])[None]
        alone = language(tokens, tokens >= 0)[0].numpy()
        assert np.allclose(lost.values[rows], alone, atol=1e-5)


def test_sentences_that_lost_nothing_keep_their_stored_states(
    masks_at: MasksAt,
    clips: FeatureSet,
    language: FrozenLanguageEncoder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(language, "forward", lambda *_: pytest.fail("encoded a complete sentence"))
    assert drop(clips, masks_at(clips, 0.0), language).text.values is clips.text.values


def test_nothing_of_the_input_changes(
    masks_at: MasksAt, clips: FeatureSet, language: FrozenLanguageEncoder
) -> None:
    before = clips.audio.values.copy(), clips.text.values.copy(), clips.text.token_ids.copy()
    drop(clips, masks_at(clips), language)
    after = clips.audio.values, clips.text.values, clips.text.token_ids
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_completeness_is_the_share_of_content_tokens_left(
    masks_at: MasksAt, clips: FeatureSet, language: FrozenLanguageEncoder
) -> None:
    drawn = masks_at(clips)
    found = drop(clips, drawn, language).text.completeness()
    for clip, clip_id in enumerate(clips.clip_ids):
        content = drawn[clip_id].text[1:-1]
        assert found[clip] == (content.mean() if len(content) else 0)
    assert found[3] == 0  # no words
    assert (np.delete(clips.text.completeness(), 3) == 1).all()


def test_missing_and_misfitting_masks_are_errors(
    masks_at: MasksAt, clips: FeatureSet, language: FrozenLanguageEncoder
) -> None:
    drawn = masks_at(clips)
    with pytest.raises(ValueError, match="'test/000' has no mask"):
        drop(clips, {}, language)
    short = drawn | {"test/001": drawn["test/001"]._replace(audio=np.ones(2, dtype=bool))}
    with pytest.raises(ValueError, match="audio mask of the clip 'test/001' has 2 rows"):
        drop(clips, short, language)
