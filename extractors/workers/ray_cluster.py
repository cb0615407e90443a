"""The same work on a Ray cluster.

Each worker of the cluster is an actor that holds one core and looks after a worker process as
`extractors.workers.worker` does on one machine: models loaded once, one thread per library, the
same limits and reasons. So a clip that hangs or crashes is dealt with on its node; an actor that is
lost was lost with its node, and its clip goes to another one.

What the nodes need:

- this package and what it needs, in the versions of the driver, where Python finds them
  (installed, or on PYTHONPATH);
- the clips and the cache, under the same paths or fsspec URLs;
- the models, where the settings name them by path, or in the local Hugging Face cache: workers
  download nothing;
- for object storage, its address and credentials in the environment in which `ray start` runs
  (``AWS_ENDPOINT_URL``, ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, or the ``FSSPEC_S3_*``
  of fsspec), in ``~/.aws``, or as the node's role. They are never sent over the cluster.

Ray closes a cluster with a token if it finds one (``RAY_AUTH_TOKEN``, ``~/.ray/auth_token``):
the driver then needs the same one.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from extractors.errors import SetupError
from extractors.settings import RunSettings
from extractors.workers.serving import Outcome, Task
from extractors.workers.worker import Cancelled, NodeLost, Worker

_LOOK_S = 0.5  # between two looks at whether the work was given up
_PLACING_TRIES = 5  # of an actor that dies before it has done anything


@contextmanager
def connected(settings: RunSettings) -> Iterator[int]:
    """Be connected to the cluster; yields how many workers it can have.

    That is one per core of it unless `settings` says otherwise.

    Raises
    ------
    SetupError
        Ray is not installed, or there is no cluster at the address.
    """
    ray = _imported()
    connected_before = ray.is_initialized()
    if not connected_before:
        _connect(ray, settings.address)
    try:
        cores = int(ray.cluster_resources().get("CPU", 0))
        if not cores:
            raise SetupError("the Ray cluster has no cores for work: add nodes that have some")
        yield settings.workers or cores
    finally:
        if not connected_before:
            ray.shutdown()


def _imported() -> ModuleType:
    try:
        import ray
    except ImportError as error:
        raise SetupError("run.executor=ray needs Ray: pip install 'lnln[ray]'") from error
    return ray


def _connect(ray: ModuleType, address: str) -> None:
    place = address or os.environ.get("RAY_ADDRESS", "")
    host, _, port = place.rpartition(":")
    try:
        if host and port.isdigit():  # Ray itself would look for it for two minutes, then exit
            socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
        with _no_usage_statistics():
            ray.init(
                address=address or None,
                include_dashboard=False,
                log_to_driver=False,
                logging_level="WARNING",
            )
    except Exception as error:  # a start that takes too long is no error of a kind of its own
        raise SetupError(
            f"no Ray cluster can be used at {place or 'this machine'}: {error}; start one with "
            "`ray start --head`, or set run.address or RAY_ADDRESS to the host:port of one"
        ) from error


@contextmanager
def _no_usage_statistics() -> Iterator[None]:
    """Let Ray begin a cluster without the process that gathers usage statistics.

    Without a dashboard it has nothing else to do, and where statistics are switched off it still
    asks the clouds' metadata servers which of them this machine is in.
    """
    from ray._private import services

    start = services.start_api_server
    services.start_api_server = lambda *_, **__: (None, None)
    try:
        yield
    finally:
        services.start_api_server = start


class _Supervisor:
    """The actor: it sits on the node, and never loads a model or reads a clip itself."""

    def __init__(self, settings: RunSettings) -> None:
        self._worker = Worker(settings)

    def ready(self) -> None:
        pass

    def do(self, build: bytes, task: Task) -> Outcome | SetupError:
        try:
            return self._worker.do(build, task, threading.Event())
        except SetupError as error:  # returned, as Ray wraps what is raised
            return error


class RayWorker:
    """A worker on some node of the cluster.

    Parameters
    ----------
    settings : RunSettings
    """

    def __init__(self, settings: RunSettings) -> None:
        self._ray = _imported()
        self._settings = settings
        self._actor: Any = None

    def prepare(self, cancelled: threading.Event) -> None:
        """Find a free core; wait for one if need be.

        Raises
        ------
        SetupError
            Nodes cannot run the actor.
        Cancelled
            `cancelled` was set.
        """
        for tries in range(_PLACING_TRIES):
            if self._actor is not None:
                return
            self._actor = (
                self._ray.remote(_Supervisor)
                .options(num_cpus=1, max_restarts=0, scheduling_strategy="SPREAD")
                .remote(self._settings)
            )
            try:
                self._result(self._actor.ready.remote(), cancelled)
            except self._ray.exceptions.RayError as error:
                self.stop()
                if getattr(error, "actor_init_failed", False) or tries == _PLACING_TRIES - 1:
                    raise SetupError(f"the nodes cannot run the extractors: {error}") from error
                time.sleep(1.0)

    def do(self, build: bytes, task: Task, cancelled: threading.Event) -> Outcome:
        """Do a task.

        Raises
        ------
        SetupError
            The extractor cannot be built on the node.
        NodeLost
            The node died, or the actor on it.
        Cancelled
            `cancelled` was set.
        """
        try:
            answer = self._result(self._actor.do.remote(build, task), cancelled)
        except self._ray.exceptions.RayError as error:
            self.stop()
            raise NodeLost("the node of the Ray cluster that did it was lost") from error
        if isinstance(answer, SetupError):
            raise answer
        return answer

    def stop(self) -> None:
        """End the actor, and with it the process that it looks after."""
        if self._actor is not None:
            self._ray.kill(self._actor)
            self._actor = None

    def _result(self, reference: Any, cancelled: threading.Event) -> Any:
        while not self._ray.wait([reference], timeout=_LOOK_S)[0]:
            if cancelled.is_set():
                raise Cancelled
        return self._ray.get(reference)
