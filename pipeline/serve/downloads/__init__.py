"""What can be taken along: features, timelines and pictures as files."""
