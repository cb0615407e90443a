"""Recordings cut into utterances: clips with a `recording_id`, a beginning and an end."""
