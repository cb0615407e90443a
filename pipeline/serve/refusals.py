"""What the page says instead of an answer: a status, a plain sentence, and when to try again."""


class Refusal(Exception):
    """A request that is not served.

    Parameters
    ----------
    message : str
        A sentence for the person who asked.
    """

    status = 400
    retry_s: int | None = None

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Gone(Refusal):
    """There is no such upload, or not any more."""

    status = 404


class NotYet(Refusal):
    """It is too early to ask for that."""

    status = 409


class TooLarge(Refusal):
    """A file, or a request, is beyond a limit."""

    status = 413


class Stalled(Refusal):
    """A file stopped arriving."""

    status = 408


class NoRoom(Refusal):
    """The disk is full."""

    status = 507


class Busy(Refusal):
    """There is too much to do at the moment."""

    status = 503

    def __init__(self, message: str, retry_s: int) -> None:
        super().__init__(message)
        self.retry_s = retry_s
