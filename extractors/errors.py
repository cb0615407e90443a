"""Errors: `SetupError` is about the installation or a dataset, `MediaError` about one file."""


class SetupError(RuntimeError):
    """Something is missing or wrong that affects all clips; the message says what to do."""


class MissingAsset(SetupError):
    """A model file was not found, or has another sha256 than expected."""


class MissingLibraries(SetupError):
    """System libraries that a dependency needs are not installed."""


class UnsupportedLanguage(SetupError):
    """The speech model does not know the language of the clips."""


class TranscriptError(SetupError):
    """A transcript that was given cannot be used; the message names the file and the line."""


class GivenUp(Exception):
    """Nobody waits any more for what was being done, see `extractors.workers.session.Session`."""


class MediaError(Exception):
    """A file cannot be read as video or sound.

    Attributes
    ----------
    path : str
        The file.
    reason : str
        What is wrong with it.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)  # both in args, so that it can be pickled
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"
