"""Text features: word pieces and their hidden states in a BERT encoder."""

# What decides the values, see `extractors.fingerprint`.
PACKAGES = ("torch", "transformers", "tokenizers")
SOURCES = ("extractors/text",)
