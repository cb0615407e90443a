"""Audio features: prosody and timbre."""

# What decides the values, see `extractors.fingerprint`.
PACKAGES = ("librosa", "numba", "llvmlite", "numpy", "scipy", "av")
SOURCES = ("extractors/audio",)
