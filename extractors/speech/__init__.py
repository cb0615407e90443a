"""Speech recognition, for clips that come without a transcript."""

# What decides the words, see `extractors.fingerprint`.
PACKAGES = ("faster-whisper", "ctranslate2", "onnxruntime", "tokenizers", "numpy", "av")
SOURCES = ("extractors/speech", "extractors/transcription.py")
