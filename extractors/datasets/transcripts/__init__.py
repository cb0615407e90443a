"""Words that come with new videos: tables, subtitles and plain texts."""
