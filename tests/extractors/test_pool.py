import importlib
import os
import subprocess
import sys
import textwrap

import pytest

from extractors.errors import SetupError
from extractors.pool import Task, run_tasks
from extractors.settings import RunSettings

MODULE = """
import os, time
from extractors.errors import MediaError, SetupError

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
    return list(run_tasks(build, tasks, RunSettings(workers=workers, **settings), "testing"))


def test_outcomes_come_in_the_order_of_the_tasks(module):
    orders = [f"clip {i}" for i in range(40)]
    assert [outcome.value for outcome in run(module.Extractor, orders)] == orders


def test_worker_that_dies_costs_its_own_clip(module):
    before, dead, after, last = run(module.Extractor, ["a", "die", "b", "c"])
    assert "died on it twice (exit status 3)" in dead.reason
    assert [before.value, after.value, last.value] == ["a", "b", "c"]


def test_worker_that_dies_once_costs_nothing(module, tmp_path):
    outcomes = run(module.Extractor, ["a", f"die-once {tmp_path}/mark", "b"], workers=1)
    assert [outcome.reason for outcome in outcomes] == [None] * 3


def test_worker_that_hangs_is_stopped_at_its_limit(module):
    first, hung, last = run(module.Extractor, ["a", "hang", "b"], timeout_s=1.0, timeout_factor=0.0)
    assert hung.reason == "took longer than 1 s"
    assert [first.value, last.value] == ["a", "b"]


def test_exceptions_become_reasons_of_one_line(module):
    raised, refused = run(module.Extractor, ["raise", "refuse"], workers=1)
    assert raised.reason == "ValueError: bad value"
    assert refused.reason == "no good"


def test_extractor_that_cannot_be_built_stops_the_run_and_says_why(module):
    with pytest.raises(SetupError, match="the model is missing"):
        run(module.Unbuildable, ["a"])


def test_workers_that_never_start_stop_the_run(module):
    with pytest.raises(SetupError, match="before they can do any work"):
        run(module.Dying, ["a", "b"], workers=1)


def test_workers_have_one_thread_per_library_and_the_caller_keeps_its_own(module, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    orders = ["environment OMP_NUM_THREADS", "environment OPENBLAS_NUM_THREADS"]
    assert [outcome.value for outcome in run(module.Extractor, orders, workers=1)] == ["1", "1"]
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "OPENBLAS_NUM_THREADS" not in os.environ


def test_script_without_a_main_guard_can_start_workers(module, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
        import misbehaving
        from extractors.pool import Task, run_tasks
        from extractors.settings import RunSettings
        tasks = [Task(("hello",), 0.0)]
        print([o.value for o in run_tasks(misbehaving.Extractor, tasks, RunSettings(), "x")])
        """)
    )
    path = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "['hello']"


def test_no_tasks_start_no_worker(module):
    assert run(module.Dying, []) == []
