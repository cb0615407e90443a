"""How soon the page answers when words are corrected and parts are left out.

    python benchmarks/serve.py CLIP --model models/lnln

`lnln serve` runs in a process of its own, as people start it. The clip is sent to it, and then
asked about as the page does: each time is that between the first request and the last answer,
contributions included. The result is also kept in `benchmarks/results/`, by date.
"""

import http.client
import json
import re
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from kept import keep, machine

ROUNDS = 20
ROOT = Path(__file__).parents[1]
OTHER = ("terrible", "wonderful", "boring", "fine")  # words that are put in a word's place


class Server:
    """The API of a server."""

    def __init__(self, place: str) -> None:
        self._place = place

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection(self._place, timeout=600)
        content = body if body is None or isinstance(body, bytes) else json.dumps(body)
        kind = {"Content-Type": "application/json"} if isinstance(content, str) else {}
        connection.request(method, f"/api/{path}", content, kind)
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        if answer.status >= 400:
            raise RuntimeError(said.decode())
        return json.loads(said) if said else None

    def analysed(self, clip: Path) -> tuple[str, float]:
        """Send a clip; its name there, and the seconds until it could be asked about."""
        begin = time.perf_counter()
        upload_id: str = self.ask("POST", "uploads", clip.read_bytes())["id"]
        while (state := self.ask("GET", f"uploads/{upload_id}"))["state"] != "ready":
            if state["state"] == "failed":
                raise RuntimeError(state["error"])
            time.sleep(0.02)
        return upload_id, time.perf_counter() - begin


def main(
    clip: Path,
    model: Annotated[list[Path], typer.Option()] = [Path("models/lnln")],  # noqa: B006
) -> None:
    """Measure, print and keep."""
    models = [part for folder in model for part in ("--model", str(folder))]
    command = [sys.executable, "-m", "pipeline", "serve", *models, "--port", "0", "--offline"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        found = re.search(r"http://([^/]+)/", process.stdout.readline())
        if found is None:
            raise SystemExit("the server did not start: run lnln serve to see why")
        server = Server(found[1])
        _, first_s = server.analysed(clip)
        upload_id, second_s = server.analysed(clip)
        times = asked(server, f"uploads/{upload_id}")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    lines = [
        "# Answers of the page",
        "",
        machine(f"{clip.name}, {len(model)} models, {ROUNDS} rounds"),
        "",
        f"Until a clip can be asked about: {first_s:.1f} s the first, {second_s:.1f} s the next.",
        "",
        "| asked | median s | slowest s |",
        "|---|---|---|",
        *(f"| {name} | {statistics.median(t):.3f} | {max(t):.3f} |" for name, t in times.items()),
    ]
    keep("serve", lines)


def asked(server: Server, at: str) -> dict[str, list[float]]:
    """Seconds that each question took, by what was asked."""
    words = server.ask("GET", f"{at}/found")["clips"][0]["words"]
    times: dict[str, list[float]] = {}

    def score(name: str, question: dict[str, Any], said: list[Any] | None = None) -> None:
        begin = time.perf_counter()
        if said is not None:
            server.ask("PUT", f"{at}/words", {"clip": 0, "words": said})
        server.ask("POST", f"{at}/scores", {**question, "explain": 0})
        times.setdefault(name, []).append(time.perf_counter() - begin)

    score("warming up", {})
    del times["warming up"]
    for number in range(ROUNDS):
        place = number % len(words)
        said = [dict(word) for word in words]
        said[place]["word"] = OTHER[number % len(OTHER)]
        score("a word corrected", {}, said)
        score("voice left out", {"without": ["audio"]})
        score("missing rate moved", {"missing_rate": (number + 1) / (ROUNDS + 1)})
        begin = number * 0.1
        score("a second left out", {"spans": [{"start_s": begin, "end_s": begin + 1}]})
    return times


if __name__ == "__main__":
    typer.run(main)
