"""Our own network: every modality gives evidence, which weighs less where less of it was seen."""
