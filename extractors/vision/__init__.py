"""Vision features: expression and head pose of the face in a clip."""

# What decides the values, see `extractors.fingerprint`.
PACKAGES = ("mediapipe", "numpy", "av", "opencv-contrib-python", "opencv-python")
SOURCES = ("extractors/vision",)
