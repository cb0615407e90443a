"""Our parameter names in the words of the published checkpoints."""

import re

PARTS = {
    "embed_text.linear": "proj_l.0",
    "embed_text.encoder": "proj_l.1",
    "embed_audio.linear": "proj_a.0",
    "embed_audio.encoder": "proj_a.1",
    "embed_vision.linear": "proj_v.0",
    "embed_vision.encoder": "proj_v.1",
    "completeness_encoder": "completeness_check.0",
    "completeness_head": "completeness_check.1",
    "proxy_start": "h_p",
    "proxy_encoder": "proxy_dominate_modality_generator",
    "discriminator": "effective_discriminator",
    "dominant_encoder": "dmml.0",
    "hyper_start": "h_hyper",
    "hyper_layers": "dmml.1.layers",
    "fusion.layers": "dmml.2.CrossTransformerEncoder.layers",
    "fusion": "dmml.2",
    "regressor": "dmml.3",
    "reconstruct_audio": "reconstructor.0",
    "reconstruct_vision": "reconstructor.1",
    "reconstruct_text": "reconstructor.2",
}
ENCODERS = {
    "token": "extra_token",
    "tokens": "extra_token",
    "positions": "pos_embedding",
    "query_positions": "pos_embedding_t",
    "context_positions": "pos_embedding_s",
    "layers": "encoder.layers",
    "attention.norm_query": "0.norm_q",
    "attention.norm_key": "0.norm_k",
    "attention.norm_value": "0.norm_v",
    "attention.query": "0.fn.to_q",
    "attention.key": "0.fn.to_k",
    "attention.value": "0.fn.to_v",
    "attention.out": "0.fn.to_out.0",
    "feed_forward.norm": "1.norm",
    "feed_forward.first": "1.fn.net.0",
    "feed_forward.second": "1.fn.net.3",
}
HYPER_LAYERS = {
    "norm_dominant": "0.norm1",
    "norm_audio": "0.norm2",
    "norm_vision": "0.norm3",
    "norm_hyper": "0.norm4",
    "query": "0.fn.to_q",
    "key_audio": "0.fn.to_k_ta",
    "key_vision": "0.fn.to_k_tv",
    "value_audio": "0.fn.to_v_ta",
    "value_vision": "0.fn.to_v_tv",
    "out": "0.fn.to_out.0",
}
WORDS = PARTS | ENCODERS | HYPER_LAYERS

# Whole words between dots; of two that fit, such as `fusion.layers` and `fusion`, the longer one.
_WORD = re.compile(
    r"(?<![^.])({})(?![^.])".format(
        "|".join(re.escape(word) for word in sorted(WORDS, key=len, reverse=True))
    )
)


def published_name(name: str) -> str:
    """Translate the name of a parameter of `LNLN` (variant `official`).

    Examples
    --------
    >>> published_name("embed_text.encoder.layers.1.attention.query.weight")
    'proj_l.1.encoder.layers.1.0.fn.to_q.weight'
    """
    language = "language.model."
    if name.startswith(language):  # the words inside BERT are its own
        return "bertmodel.model." + name.removeprefix(language)
    return _WORD.sub(lambda word: WORDS[word[0]], name)
