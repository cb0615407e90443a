"""Decode video and sound files with PyAV, which includes FFmpeg; times are those of the clip."""
