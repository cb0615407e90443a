"""Files to pictures and sound, by PyAV (FFmpeg inside the wheel), on the clip's own time axis."""
