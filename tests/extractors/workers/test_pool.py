import importlib
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from extractors.errors import SetupError
from extractors.settings import RunSettings
from extractors.workers.pool import Pool, Task

MODULE = """
import ctypes, os, re, signal, sys, time
from extractors.errors import MediaError, SetupError

class DiesWhenPickled:
    def __reduce__(self):
        os.kill(os.getpid(), signal.SIGKILL)

class FailsWhenUnpickled:
    def __reduce__(self):
        return (int, ("no number",))

class Extractor:
    def extract(self, order):
        name, _, value = order.partition(" ")
        if name == "die":
            os._exit(3)
        if name == "die-once" and not os.path.exists(value):
            open(value, "w").close()
            os._exit(3)
        if name == "hang":
            time.sleep(1000)
        if name == "hang-in-native-code":
            open(value, "w").write(str(os.getpid()))
            re.match("(a|a)*b", "a" * 60)  # holds the interpreter's lock, for years
        if name == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if name == "crash":
            ctypes.string_at(0)
        if name == "exit":
            sys.exit(7)
        if name == "fill-memory":
            hog = []
            while True:
                hog.append(b"x" * 50_000_000)
                time.sleep(0.05)
        if name == "return":
            return {"lambda": lambda: 0, "died": DiesWhenPickled(),
                    "broken": FailsWhenUnpickled()}[value]
        if name == "mark":
            open(value, "a").write(".")
        if name == "keep":
            with open(value, "a") as log:
                log.write(f"{os.getpid()} started\\n")
            time.sleep(0.3)
            with open(value, "a") as log:
                log.write(f"{os.getpid()} done\\n")
        if name == "raise":
            raise ValueError("bad value\\nand more")
        if name == "refuse":
            raise MediaError("a.mp4", "no good")
        if name == "environment":
            return os.environ.get(value)
        return order

class Unbuildable:
    def __init__(self):
        raise SetupError("the model is missing")

class Heavy:
    def __init__(self):
        time.sleep(1)

class Dying:
    def __init__(self):
        os._exit(5)
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Extractors in a module that worker processes can import."""
    (tmp_path / "misbehaving.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("misbehaving")
    del sys.modules["misbehaving"]


def run(build, orders, workers=2, **settings):
    tasks = [Task((order,), 0.0) for order in orders]
    with Pool(RunSettings(workers=workers, **settings)) as pool:
        return list(pool.run(build, tasks, "testing"))


def test_outcomes_come_in_the_order_of_the_tasks(module):
    orders = [f"clip {i}" for i in range(40)]
    assert [outcome.value for outcome in run(module.Extractor, orders)] == orders


def test_whatever_happens_to_a_worker_costs_its_own_clip(module):
    reasons = {
        "die": "its worker ended with exit status 3; tried twice",
        "kill": "its worker was killed by SIGKILL (is the machine short of memory?); tried twice",
        "crash": "its worker was killed by SIGSEGV; tried twice",
        "hang": "took longer than 3 s (run.timeout_s and run.timeout_factor); tried twice",
        "fill-memory": "took more than the 500 MB of run.memory_mb (raise it where there is more);"
        " tried twice",
        "raise": "ValueError: bad value",
        "refuse": "no good",
        "exit": "SystemExit: 7",
        "return died": "its worker was killed by SIGKILL (is the machine short of memory?);"
        " tried twice",
    }
    orders = [order for bad in reasons for order in (f"before {bad}", bad, f"after {bad}")]
    tasks = [Task((order,), 0.0 if order == "hang" else 100.0) for order in orders]
    settings = RunSettings(workers=3, timeout_s=3.0, timeout_factor=1.0, memory_mb=500)
    with Pool(settings) as pool:
        outcomes = list(pool.run(module.Extractor, tasks, "testing"))
    assert dict(zip(orders, outcomes, strict=True)) == {
        order: (None, reasons[order]) if order in reasons else (order, None) for order in orders
    }


def test_result_that_cannot_be_sent_costs_its_own_clip(module):
    orders = ["a", "return lambda", "b", "return broken", "c"]
    first, unpicklable, second, broken, third = run(module.Extractor, orders, workers=1)
    assert [first.value, second.value, third.value] == ["a", "b", "c"]
    assert "its result cannot be pickled" in unpicklable.reason
    assert "its result cannot be unpickled: ValueError" in broken.reason


def test_worker_that_dies_once_costs_nothing(module, tmp_path):
    outcomes = run(module.Extractor, ["a", f"die-once {tmp_path}/mark", "b"], workers=1)
    assert [outcome.reason for outcome in outcomes] == [None] * 3


def test_time_limit_follows_the_length_of_the_clip(module):
    settings = RunSettings(workers=1, timeout_s=0.5, timeout_factor=2.0)
    with Pool(settings) as pool:
        (outcome,) = pool.run(module.Extractor, [Task(("hang",), 0.25)], "testing")
    assert "longer than 1 s" in outcome.reason


def test_extractor_that_cannot_be_built_stops_the_run_and_says_why(module):
    with pytest.raises(SetupError, match="the model is missing"):
        run(module.Unbuildable, ["a"])


def test_workers_that_never_start_stop_the_run(module):
    with pytest.raises(SetupError, match=r"before they can do any work: .* status 5"):
        run(module.Dying, ["a", "b"], workers=1)


def test_memory_limit_that_the_models_alone_exceed_stops_the_run(module):
    with pytest.raises(SetupError, match="more than the 20 MB"):
        run(module.Heavy, ["a"], workers=1, memory_mb=20)


def test_no_more_workers_than_clips(module):
    before = len(psutil.Process().children())
    tasks = [Task(("environment PATH",), 0.0), Task(("b",), 0.0)]
    with Pool(RunSettings(workers=8)) as pool:
        next(pool.run(module.Extractor, tasks, "testing"))
        assert len(psutil.Process().children()) - before <= 2
    assert len(psutil.Process().children()) == before


def test_outcomes_are_not_made_far_ahead_of_their_use(module, tmp_path, monkeypatch):
    monkeypatch.setattr("extractors.workers.pool._AHEAD", 32)
    mark = tmp_path / "made"
    tasks = [Task((f"mark {mark}",), 0.0)] * 200
    with Pool(RunSettings(workers=1)) as pool:
        outcomes = pool.run(module.Extractor, tasks, "testing")
        next(outcomes)
        time.sleep(1)
        assert 0 < mark.stat().st_size <= 33
        assert len(list(outcomes)) == 199


def test_workers_have_one_thread_per_library_and_the_caller_keeps_its_own(module, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    orders = ["environment OMP_NUM_THREADS", "environment OPENBLAS_NUM_THREADS"]
    assert [outcome.value for outcome in run(module.Extractor, orders, workers=1)] == ["1", "1"]
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "OPENBLAS_NUM_THREADS" not in os.environ


def test_workers_send_nothing_whatever_the_caller_has_set(module, monkeypatch):
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    (outcome,) = run(module.Extractor, ["environment ORT_DISABLE_TELEMETRY"], workers=1)
    assert outcome.value == "1"


DRIVER = """
import signal
import sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where tests run in background
import misbehaving
from extractors.workers.pool import Pool, Task
from extractors.settings import RunSettings
tasks = [Task((order,), 0.0) for order in sys.argv[1:]]
with Pool(RunSettings(workers=2)) as pool:
    print([o.value for o in pool.run(misbehaving.Extractor, tasks, "x")])
"""


@pytest.fixture
def driver(module, tmp_path):
    """Starts a script, without a guard of its main module, that has orders carried out."""
    started = []

    def start(*orders):
        (tmp_path / "driver.py").write_text(DRIVER)
        path = os.pathsep.join([str(tmp_path), *sys.path])
        process = subprocess.Popen(
            [sys.executable, str(tmp_path / "driver.py"), *orders],
            env=os.environ | {"PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def eventually(condition, within_s=30.0):
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_script_without_a_main_guard_can_start_workers(driver):
    assert driver("hello").communicate(timeout=60)[0].strip() == "['hello']"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_end_of_the_driver_is_the_end_of_its_workers(driver, tmp_path, how):
    mark = tmp_path / "hanging"
    process = driver(f"hang-in-native-code {mark}", *["hang"] * 3)
    eventually(lambda: mark.exists() and mark.read_text() and len(children(process)) == 2)
    workers = children(process)
    process.send_signal(how)
    assert process.wait(10) != 0
    psutil.wait_procs(workers, timeout=5)
    assert not any(worker.is_running() for worker in workers)


def children(process):
    return psutil.Process(process.pid).children()


def test_killed_run_leaves_no_half_work_but_the_clips_in_flight(driver, tmp_path):
    logs = [tmp_path / f"log{i}" for i in range(10)]
    process = driver(*[f"keep {log}" for log in logs])
    eventually(lambda: any("done" in log.read_text() for log in logs if log.exists()))
    process.kill()
    process.wait()
    time.sleep(1)
    written = [log.read_text() for log in logs if log.exists()]
    assert len(written) < len(logs)
    assert sum("done" not in text for text in written) <= 2


def test_no_tasks_start_no_worker(module):
    assert run(module.Dying, []) == []
