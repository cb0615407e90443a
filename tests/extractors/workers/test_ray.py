import importlib
import socket
import sys
import tempfile
import threading
from pathlib import Path

import fsspec
import pytest

from contracts.schemas import MODALITIES
from extractors import ExtractorSettings, extract
from extractors.errors import SetupError
from extractors.settings import RunSettings
from extractors.workers.pool import Pool, Task

SAMPLE = Path(__file__).parents[3] / "data" / "sample"

MODULE = """
import hashlib, os, time
import fsspec

class Extractor:
    def __init__(self):
        self._models = f"loaded by {os.getpid()}"

    def extract(self, order, place, value):
        if order == "crash":
            os.abort()
        if order == "hang":
            time.sleep(1000)
        if order == "thread":
            return os.environ["OMP_NUM_THREADS"], self._models
        with open(f"{place}/log", "a") as log:
            log.write(f"{value} {os.environ.get('RAY_RAYLET_PID')}\\n")
        time.sleep(0.2)
        result = hashlib.sha256(value.encode()).digest()
        with open(f"{place}/{value}", "wb") as file:
            file.write(result)
        return result

class Remote:
    def extract(self, source, target):
        with fsspec.open(source, "rb") as file:
            data = file.read()
        with fsspec.open(target, "wb") as file:
            file.write(data.upper())

class Unbuildable:
    def __init__(self):
        raise SystemError("no such model\\nhere")
"""


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    """Extractors in a module that workers can import."""
    folder = tmp_path_factory.mktemp("modules")
    (folder / "on_a_cluster.py").write_text(MODULE)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield importlib.import_module("on_a_cluster")
    del sys.modules["on_a_cluster"]


@pytest.fixture(scope="module")
def storage():
    """An S3 server on this machine, and the environment in which nodes find it."""
    import moto.server as moto

    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "nobody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("NO_PROXY", "127.0.0.1")
        yield
    server.stop()


@pytest.fixture(scope="module")
def cluster(storage, module):
    """A Ray cluster on loopback: its head, with two cores."""
    from ray.cluster_utils import Cluster

    with (
        pytest.MonkeyPatch.context() as patch,
        # A short path: that of a socket in it must be under 108 characters.
        tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder,
    ):
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_TMPDIR", folder)  # it notes the cluster's address in there
        Path(folder, "ray").mkdir()
        patch.setenv("RAY_AUTH_MODE", "disabled")
        patch.setenv("PYTHONPATH", str(Path(module.__file__).parent))
        head = NODE | {"temp_dir": folder, "include_dashboard": False}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        yield cluster
        cluster.shutdown()


# On loopback, but not 127.0.0.1, which Ray's driver turns into an address of the network.
NODE = {"num_cpus": 2, "object_store_memory": 80_000_000, "node_ip_address": "127.0.0.2"}


def run(build, arguments, settings):
    with Pool(settings) as pool:
        return list(pool.run(build, [Task(each, 0.0) for each in arguments], "testing"))


def on(cluster, **settings):
    return RunSettings(executor="ray", address=cluster.address, **settings)


@pytest.mark.slow
def test_node_that_dies_half_way_loses_nothing(cluster, module, tmp_path):
    clips = [f"clip{i}" for i in range(60)]
    here, there = tmp_path / "local", tmp_path / "ray"
    here.mkdir()
    there.mkdir()
    local = run(module.Extractor, [("do", here, clip) for clip in clips], RunSettings(workers=2))

    node = cluster.add_node(**NODE)
    doomed = str(node.all_processes["raylet"][0].process.pid)
    tasks = [Task(("do", there, clip), 0.0) for clip in clips]
    outcomes = []
    killer = threading.Thread(target=cluster.remove_node, args=(node, False))
    with Pool(on(cluster)) as pool:
        for outcome in pool.run(module.Extractor, tasks, "testing"):
            outcomes.append(outcome)
            if len(outcomes) == len(clips) // 4:
                killer.start()
    killer.join()

    assert outcomes == local
    assert all(outcome.reason is None for outcome in outcomes)
    for clip in clips:
        assert (there / clip).read_bytes() == (here / clip).read_bytes()
    begun = [line.split() for line in (there / "log").read_text().splitlines()]
    assert sum(raylet == doomed for _, raylet in begun) > 2  # it did its share
    assert len(begun) <= len(clips) + NODE["num_cpus"]  # but what was in flight, all once


@pytest.mark.slow
def test_clip_that_breaks_a_worker_costs_itself_as_it_does_locally(cluster, module, tmp_path):
    orders = ["do", "crash", "do", "hang", "do"]
    arguments = [(order, tmp_path, f"clip{i}") for i, order in enumerate(orders)]
    limits = {"workers": 2, "timeout_s": 2.0, "timeout_factor": 0.0}
    outcomes = run(module.Extractor, arguments, on(cluster, **limits))
    assert outcomes == run(module.Extractor, arguments, RunSettings(**limits))
    assert [outcome.reason is None for outcome in outcomes] == [True, False, True, False, True]


@pytest.mark.slow
def test_actors_hold_the_models_and_have_one_thread(cluster, module):
    values = [value for value, _ in run(module.Extractor, [("thread", "", "")] * 20, on(cluster))]
    assert {threads for threads, _ in values} == {"1"}
    assert len({models for _, models in values}) <= NODE["num_cpus"]


@pytest.mark.slow
def test_extractor_that_no_node_can_build_stops_the_run(cluster, module):
    with pytest.raises(SetupError, match="SystemError: no such model"):
        run(module.Unbuildable, [()], on(cluster))


@pytest.mark.slow
def test_clips_and_results_may_be_in_object_storage(cluster, module):
    files = fsspec.filesystem("s3", skip_instance_cache=True)
    files.mkdir("corpus")
    names = [f"clip{i}" for i in range(8)]
    for name in names:
        files.pipe(f"corpus/raw/{name}", name.encode())
    arguments = [(f"s3://corpus/raw/{name}", f"s3://corpus/done/{name}") for name in names]
    assert run(module.Remote, arguments, on(cluster)) == [(None, None)] * len(names)
    done = {name: files.cat(f"corpus/done/{name}") for name in names}
    assert done == {name: name.upper().encode() for name in names}


def test_ray_that_is_not_installed_is_said_with_the_remedy(module, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SetupError, match=r"pip install 'lnln\[ray\]'"):
        run(module.Remote, [("a", "b")], RunSettings(executor="ray"))


def test_cluster_that_is_not_there_is_said_at_once(module, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(SetupError, match=f"{address}: .*refused.*ray start"):
            run(module.Remote, [("a", "b")], RunSettings(executor="ray", address=address))


def test_address_must_be_one(monkeypatch):
    with pytest.raises(ValueError, match="address"):
        RunSettings(address="ray://somewhere")


def test_a_cluster_of_our_own_has_no_process_for_usage_statistics():
    ray_cluster = pytest.importorskip("extractors.workers.ray_cluster")
    services = pytest.importorskip("ray._private.services")
    start = services.start_api_server
    with ray_cluster._no_usage_statistics():
        assert services.start_api_server(False, False, port=1) == (None, None)
    assert services.start_api_server is start


@pytest.mark.slow
def test_extraction_from_object_storage_survives_a_node_and_is_that_of_one_machine(
    cluster, tmp_path
):
    files = fsspec.filesystem("s3", skip_instance_cache=True)
    files.mkdir("videos")
    files.mkdir("kept")
    for clip in sorted((SAMPLE / "Raw").glob("*/00[12].mp4")):
        name = f"{clip.parent.name}-{clip.name}"
        (tmp_path / name).symlink_to(clip)
        files.put(str(clip), f"videos/{name}")
    clips = len(list(tmp_path.iterdir()))

    node = cluster.add_node(**NODE)
    over = threading.Event()

    def kill_half_way() -> None:
        """Once the slowest modality, which is the last one, is half done."""
        while not over.wait(0.2):
            files.invalidate_cache()
            done = files.glob("kept/features/vision-*/*/*.arrow")
            if len(done) >= clips // 2:
                cluster.remove_node(node, False)
                return

    killer = threading.Thread(target=kill_half_way)
    killer.start()
    try:
        run = on(cluster, offline=True, cache="s3://kept/features")
        found = extract("s3://videos", ExtractorSettings(run=run))
    finally:
        over.set()
        killer.join()
    assert found.quarantine == []
    assert node not in cluster.list_all_nodes()  # it was killed

    local = extract(tmp_path, ExtractorSettings(run=RunSettings(workers=2, offline=True)))
    assert local.manifest.num_rows == clips
    found.write(tmp_path / "ray")
    local.write(tmp_path / "local")
    for name in ("transcripts", *(f"features/{m}/part-0" for m in MODALITIES)):
        there, here = (tmp_path / place / f"{name}.parquet" for place in ("ray", "local"))
        assert there.read_bytes() == here.read_bytes()


@pytest.mark.slow
def test_relative_paths_mean_the_same_files_on_every_node(cluster, tmp_path, monkeypatch):
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "a.mp4").symlink_to(SAMPLE / "Raw" / "joe" / "001.mp4")
    monkeypatch.chdir(tmp_path)  # the nodes were started elsewhere
    run = on(cluster, offline=True, cache=str(tmp_path / "shared"))
    found = extract("clips", ExtractorSettings(run=run))
    assert found.quarantine == []
    assert found.vision["clip_id"].to_pylist() == ["a.mp4"]
