"""Scores over the time of a recording: `pipeline.timeline.recording.timeline` makes them."""
