"""Late fusion: a model per modality, whose answers are weighed."""
