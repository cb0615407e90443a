"""What can go wrong, by whose fault: the installation's or the clip's."""


class SetupError(RuntimeError):
    """Something this machine lacks: no clip can be done until it is there."""


class MissingAsset(SetupError):
    """A model file was found nowhere, or is not the file it should be."""


class MissingLibraries(SetupError):
    """System libraries that a dependency loads are not installed."""


class UnsupportedLanguage(SetupError):
    """The speech model does not know the language of the clips."""


class MediaError(Exception):
    """A file that cannot be read as a video or sound.

    Attributes
    ----------
    path : str
        The file.
    reason : str
        What is wrong with it.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)  # both in args, so that it survives pickling
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"
