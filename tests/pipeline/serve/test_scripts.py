"""Parts of the page that need no browser."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipeline.serve.web.app import PAGE

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="no Node.js: apt-get install nodejs")


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """Runs a script beside those of the page, and returns what it logs, from JSON."""
    for part in PAGE.iterdir():
        (tmp_path / part.name).write_bytes(part.read_bytes())
    (tmp_path / "package.json").write_text('{"type": "module"}', "utf-8")

    def logged(script: str) -> Any:
        (tmp_path / "script.js").write_text(script, "utf-8")
        assert NODE is not None
        done = subprocess.run(
            [NODE, "script.js"], cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return logged


def test_clock_has_no_sixtieth_second(run: Any) -> None:
    said = run(
        """
        import { clock } from "./dom.js";
        console.log(JSON.stringify([0, 9.94, 59.94, 59.97, 60, 119.96, 754.3, -1].map(clock)));
        """
    )
    assert said == ["0:00.0", "0:09.9", "0:59.9", "1:00.0", "1:00.0", "2:00.0", "12:34.3", "0:00.0"]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (["down", 503, 200], {"state": "ready", "asked": 3}),
        ([404], {"status": 404, "asked": 1}),
        (["down"] * 50, {"status": 0, "asked": 21}),
    ],
)
def test_waiting_outlasts_a_moment_without_an_answer(
    run: Any, answers: list[Any], said: dict[str, Any]
) -> None:
    script = """
        import * as api from "./api.js";
        const answers = ANSWERS;
        let asked = 0;
        globalThis.setTimeout = (go) => queueMicrotask(go);
        globalThis.fetch = async () => {
          const status = answers[asked++];
          if (status === "down") throw new TypeError("no connection");
          const body = status === 200 ? { state: "ready" } : { error: "no" };
          return new Response(JSON.stringify(body), { status });
        };
        const end = await api.state("x").then(
          ({ state }) => ({ state }),
          ({ status }) => ({ status }),
        );
        console.log(JSON.stringify({ ...end, asked }));
        """
    assert run(script.replace("ANSWERS", json.dumps(answers))) == said
