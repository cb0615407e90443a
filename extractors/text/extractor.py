"""Word pieces of a clip's transcript and their hidden states in a language encoder."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from contracts.features import FeatureInfo
from contracts.messages import message
from extractors.assets.resolving import resolve
from extractors.errors import SetupError
from extractors.fingerprint import describe
from extractors.settings import TextSettings
from extractors.words import Word

KINDS = ("bert", "mpnet")  # of encoders: word pieces between a [CLS] and a [SEP]


class Tokens(NamedTuple):
    """Features of the tokens of one clip, [CLS] and [SEP] included."""

    values: np.ndarray  # float32 [tokens, features], hidden states of the last layer
    observed: np.ndarray  # bool [tokens]: not `special`
    starts: np.ndarray  # float64 [tokens], s; NaN where unknown
    ends: np.ndarray  # float64 [tokens], s; NaN where unknown
    token_ids: np.ndarray  # int32 [tokens]
    special: np.ndarray  # bool [tokens]: [CLS] or [SEP]
    warnings: list[str]


class WordPieces(NamedTuple):
    """Tokens of several texts of which no hidden states are needed, [CLS] and [SEP] included."""

    ids: list[np.ndarray]  # int32 [tokens], one per text
    special: list[np.ndarray]  # bool [tokens]: [CLS] or [SEP]
    cut: int  # texts that had more than `max_tokens` tokens


class TextExtractor:
    """A language encoder (BERT or MPNet) and its tokenizer, on CPU, one sentence at a time.

    Parameters
    ----------
    settings : TextSettings
    offline : bool
        Never download the model.

    Raises
    ------
    MissingAsset
        The model was not found.
    SetupError
        The model is not such an encoder, or takes fewer tokens than `max_tokens`.
    """

    def __init__(self, settings: TextSettings, *, offline: bool = False) -> None:
        from transformers import AutoConfig, AutoModel, AutoTokenizer

        path = resolve(settings.model, offline=offline)
        local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(str(path), use_fast=True, **local)
            described = AutoConfig.from_pretrained(str(path), **local)
            # "owner/name" there is a kernel that transformers would fetch and run.
            described._attn_implementation = None
            self._model = AutoModel.from_pretrained(
                str(path), config=described, use_safetensors=True, **local
            ).eval()
        except (OSError, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
            raise SetupError(f"{settings.model} is not a usable text model: {reason}") from error
        config = self._model.config
        if config.model_type not in KINDS:
            raise SetupError(
                f"text.model {settings.model} is a {config.model_type!r} model; one of "
                f"{', '.join(KINDS)} is needed"
            )
        # MPNet numbers positions from behind that of its padding.
        first = config.pad_token_id + 1 if config.model_type == "mpnet" else 0
        if settings.max_tokens > (most := config.max_position_embeddings - first):
            raise SetupError(
                f"text.max_tokens is {settings.max_tokens}, but {settings.model} takes at most "
                f"{most}"
            )
        self.settings = settings
        leaves_out = getattr(config, "lost_words", None) == "left_out"  # see extractors.assets
        self._info = describe(
            "text",
            [f"hidden_{i}" for i in range(config.hidden_size)],
            ["1"] * config.hidden_size,
            settings,
            offline=offline,
            unk_id=self._tokenizer.unk_token_id,
            pad_id=self._tokenizer.pad_token_id,
            lost_id=self._tokenizer.pad_token_id if leaves_out else None,
        )

    def info(self) -> FeatureInfo:
        """What the columns are and how they are made."""
        return self._info

    def shares_vocabulary(self, sentences: Sequence[tuple[str, Sequence[int]]]) -> bool:
        """Whether token ids are from the vocabulary of this model.

        Parameters
        ----------
        sentences : sequence of (text, token ids)

        Returns
        -------
        bool
            Whether this tokenizer gives the same ids, as far as they were not cut, for most of the
            texts.
        """
        agreeing = 0
        for text, ids in sentences:
            expected = self._tokenizer(text)["input_ids"]
            agreeing += expected[: len(ids) - 1] == list(ids)[:-1]
        return 2 * agreeing > len(sentences)

    def word_pieces(self, texts: Sequence[str]) -> WordPieces:
        """Cut texts into the tokens that `extract` gives of them, without a pass of the encoder."""
        if not texts:
            return WordPieces([], [], 0)
        whole = self._tokenizer(list(texts), return_special_tokens_mask=True)
        ids, special, cut = [], [], 0
        for of_text, mask in zip(whole["input_ids"], whole["special_tokens_mask"], strict=True):
            kept = self._kept(len(of_text))
            ids.append(np.array(of_text, np.int32)[kept])
            special.append(np.array(mask, bool)[kept])
            cut += len(kept) < len(of_text)
        return WordPieces(ids, special, cut)

    def extract(
        self, text: str, words: Sequence[Word], token_ids: Sequence[int] | None = None
    ) -> Tokens:
        """Features of one transcript; of an empty one, those of [CLS] and [SEP].

        Parameters
        ----------
        text : str
        words : sequence of Word
            The words of `text` in order, with their times; empty if these are not known.
        token_ids : sequence of int, optional
            Token ids to use instead of those of `text`, [CLS] and [SEP] included.
        """
        if token_ids:
            return self._from_ids(np.array(token_ids, np.int32))
        whole = self._tokenizer(text, return_offsets_mapping=True, return_special_tokens_mask=True)
        kept = self._kept(len(whole["input_ids"]))
        ids = np.array(whole["input_ids"], np.int32)[kept]
        # The tokenizer's mask marks [CLS] and [SEP] only: an unknown word, [UNK], is still a word.
        special = np.array(whole["special_tokens_mask"], bool)[kept]
        offsets = [whole["offset_mapping"][i] for i in kept]
        starts, ends = _times(text, words, offsets, special)
        return self._tokens(ids, special, starts, ends, len(kept) < len(whole["input_ids"]))

    def _from_ids(self, ids: np.ndarray) -> Tokens:
        kept = ids[self._kept(len(ids))]
        special = np.isin(kept, [self._tokenizer.cls_token_id, self._tokenizer.sep_token_id])
        unknown = np.full(len(kept), np.nan)  # times
        return self._tokens(kept, special, unknown, unknown, len(kept) < len(ids))

    def _kept(self, count: int) -> list[int]:
        """Indices of the tokens to keep: at most `max_tokens`, with the closing [SEP]."""
        if count <= self.settings.max_tokens:
            return list(range(count))
        return [*range(self.settings.max_tokens - 1), count - 1]

    def _tokens(
        self,
        token_ids: np.ndarray,
        special: np.ndarray,
        starts: np.ndarray,
        ends: np.ndarray,
        cut: bool,
    ) -> Tokens:
        import torch

        with torch.inference_mode():
            ids = torch.from_numpy(token_ids.astype(np.int64))[None]
            hidden = self._model(input_ids=ids, attention_mask=torch.ones_like(ids))
        values = hidden.last_hidden_state[0].numpy().astype(np.float32)
        limit = self.settings.max_tokens
        warnings = [message(f"the transcript was cut after {limit} tokens")] if cut else []
        return Tokens(values, ~special, starts, ends, token_ids, special, warnings)


def _times(
    text: str, words: Sequence[Word], offsets: list[tuple[int, int]], special: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Start and end, s, of the word that each token is part of; NaN where they are not known."""
    starts = np.full(len(offsets), np.nan)
    ends = np.full(len(offsets), np.nan)
    position = 0
    spans: list[tuple[int, int, Word]] = []
    for word in words:
        begin = text.find(word.word, position)
        if begin >= 0:
            position = begin + len(word.word)
            spans.append((begin, position, word))
    for token, (begin, end) in enumerate(offsets):
        if special[token]:
            continue
        for first, last, word in spans:
            if first < end and begin < last:
                starts[token] = np.nan if word.start_s is None else word.start_s
                ends[token] = np.nan if word.end_s is None else word.end_s
                break
    return starts, ends
