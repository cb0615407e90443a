"""The server itself: where it listens, and the link that opens it."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Sequence

import uvicorn

from pipeline.serve.service import Service
from pipeline.serve.web.app import create_app
from pipeline.serve.web.connections import Impatient
from pipeline.serve.web.security import Names, is_loopback

_CONNECTIONS = 300  # at a time; others are told to come again
_ENDING_S = 5  # for answers that are on their way when the server is asked to end


def listen(
    service: Service,
    host: str,
    port: int,
    names: Sequence[str],
    token: str,
    say: Callable[[str], None],
) -> None:
    """Serve until the process is asked to end.

    Parameters
    ----------
    service : Service
    host : str
        Address to listen at. Where it can be reached from other machines a token is needed.
    port : int
        0: one that is free.
    names : sequence of str
        By which the page may be opened, beside its address.
    token : str
        Empty: one is made, if it is needed.
    say : callable
        Is told the link.

    Raises
    ------
    OSError
        Nothing can be listened to there.
    """
    needed = token or (None if is_loopback(host) else secrets.token_urlsafe(24))
    with _listening(host, port) as listener:
        config = uvicorn.Config(
            create_app(service, Names(host, names), needed),
            log_level="warning",
            access_log=False,  # who looked at what is nobody's business
            server_header=False,
            limit_concurrency=_CONNECTIONS,
            timeout_graceful_shutdown=_ENDING_S,
            proxy_headers=False,
            ws="none",
            http=Impatient,
        )
        say(f"open {link(host, listener.getsockname()[1], needed)}")
        say("Ctrl-C ends it, and deletes all videos.")
        uvicorn.Server(config).run(sockets=[listener])


def link(host: str, port: int, token: str | None) -> str:
    """The address to open, with the token where no server sees it: behind the #."""
    shown = socket.gethostname() if host in ("0.0.0.0", "::") else host
    shown = f"[{shown}]" if ":" in shown else shown
    return f"http://{shown}:{port}/" + (f"#token={token}" if token else "")


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.set_inheritable(False)
    except OSError as error:
        listener.close()
        raise OSError(f"nothing can be listened to at {host}, port {port}: {error}") from error
    return listener
