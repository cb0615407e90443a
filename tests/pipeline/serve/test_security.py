"""No other page gets in, and nobody without the token; nothing is loaded from elsewhere."""

import re
import socket
from collections.abc import Callable

import pytest

from pipeline.serve.web.app import PAGE
from pipeline.serve.web.listening import link
from pipeline.serve.web.security import HEADERS, Names, is_loopback
from tests.pipeline.serve.asking import Server

Serve = Callable[..., Server]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8765", 200),
        ("127.0.0.1:80", 200),
        ("[::1]:80", 200),
        ("attacker.example", 421),
        ("localhost.attacker.example", 421),
        ("192.168.0.7", 421),
        ("[", 421),
    ],
)
def test_only_names_of_this_server_are_answered(serve: Serve, host: str, status: int) -> None:
    assert serve().ask("GET", "/api/about", headers={"Host": host}).status == status


def test_names_follow_from_where_it_listens() -> None:
    everywhere = Names("0.0.0.0", ["videos.example"])
    assert "192.168.0.7:8765" in everywhere and "videos.example" in everywhere
    assert "attacker.example" not in everywhere
    assert is_loopback("127.0.0.1") and is_loopback("::1") and is_loopback("localhost")
    assert not is_loopback("0.0.0.0") and not is_loopback("example.org")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 202),
        ({"Origin": "http://localhost:80"}, 202),
        ({"Origin": "http://attacker.example"}, 403),
        ({"Origin": "http://localhost:3000"}, 403),  # another server of this machine
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),  # no address at all
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 202),
    ],
)
def test_other_pages_cannot_post(serve: Serve, headers: dict[str, str], status: int) -> None:
    assert serve().upload(b"video", Host="localhost:80", **headers).status == status


def test_other_pages_can_link_here_and_nothing_more(serve: Serve) -> None:
    server = serve()
    foreign = {"Sec-Fetch-Site": "cross-site"}
    link_followed = {**foreign, "Sec-Fetch-Mode": "navigate"}
    assert server.ask("GET", "/", headers=link_followed).status == 200
    assert server.ask("GET", "/", headers=foreign).status == 403
    assert server.ask("GET", "/api/about", headers=link_followed).status == 403


def test_every_answer_has_the_headers(serve: Serve) -> None:
    server = serve()
    upload_id = server.ready()
    for path in ("/", "/page/main.js", "/api/about", "/nothing", f"/api/uploads/{upload_id}/video"):
        answer = server.ask("GET", path)
        for name in HEADERS:
            assert name in answer.headers, (path, name)
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "server" not in answer.headers
    refused = server.ask("GET", "/api/about", headers={"Host": "attacker.example"})
    assert refused.headers["X-Frame-Options"] == "DENY"


def test_token_is_asked_for_of_everything_but_the_page(serve: Serve) -> None:
    server = serve(token="secret")
    assert server.ask("GET", "/").status == 200
    assert server.ask("GET", "/page/main.js").status == 200
    for method, path in (
        ("GET", "/api/about"),
        ("POST", "/api/uploads"),
        ("GET", "/api/openapi.json"),
    ):
        refused = server.ask(method, path, headers={"Authorization": "Bearer guess"})
        assert refused.status == 401
        assert "link with the token" in refused.json["error"]
    bearer = {"Authorization": "Bearer secret"}
    assert server.ask("GET", "/api/about", headers=bearer).status == 200
    assert server.ask("POST", "/api/login", {"token": "guess"}).status == 401
    cookie = server.ask("POST", "/api/login", {"token": "secret"}).headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    assert server.ask("GET", "/api/about", headers={"Cookie": cookie.split(";")[0]}).status == 200


def test_token_stands_where_no_server_sees_it() -> None:
    assert link("127.0.0.1", 8765, None) == "http://127.0.0.1:8765/"
    assert link("::1", 1, "t") == "http://[::1]:1/#token=t"


def test_large_and_senseless_requests_are_refused(serve: Serve) -> None:
    server = serve()
    upload_id = server.ready()
    at = f"/api/uploads/{upload_id}"
    assert server.ask("POST", f"{at}/scores", "x" * 2_000_000).status == 413
    many = {"clip": 0, "words": [{"word": "a"}] * 3000}
    assert server.ask("PUT", f"{at}/words", many).status == 422
    for question in (
        {"missing_rate": 2},
        {"missing_rate": "NaN"},
        {"without": ["smell"]},
        {"spans": [{"start_s": 2, "end_s": 1}]},
        {"spans": [{"start_s": 0, "end_s": float("inf")}]},
        {"explain": -1},
        {"unknown": 1},
    ):
        assert server.ask("POST", f"{at}/scores", question).status == 422, question
    for times in ((2, 1), (0, float("inf")), (float("nan"), 1), (-1, 1)):
        words = [{"word": "a", "start_s": times[0], "end_s": times[1]}]
        answer = server.ask("PUT", f"{at}/words", {"clip": 0, "words": words})
        assert answer.status == 422, times
        assert "words.0" in answer.json["error"]
    assert server.ask("POST", f"{at}/scores", {"explain": 7}).status == 400
    assert server.ask("POST", f"{at}/scores", {"version": "damaged"}).status == 404


def test_api_is_described_and_no_page_of_it_loads_scripts_from_elsewhere(serve: Serve) -> None:
    server = serve()
    described = server.ask("GET", "/api/openapi.json").json
    assert {"/api/uploads", "/api/uploads/{upload_id}/scores"} <= set(described["paths"])
    for path in ("/docs", "/redoc"):
        assert server.ask("GET", path).status == 404


def test_page_names_no_other_server() -> None:
    for part in PAGE.iterdir():
        addresses = re.findall(r"https?://[^\s\"'<>)]+", part.read_text("utf-8"))
        assert set(addresses) <= {"http://www.w3.org/2000/svg"}, part.name
        assert "style=" not in part.read_text("utf-8")  # which the policy forbids


def test_requests_are_reported_to_nobody(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """FastAPI traces requests, and sends that to the collector that these name, if it is let to."""
    trace = pytest.importorskip("opentelemetry.trace")
    traced = []

    class Collecting(trace.TracerProvider):  # type: ignore[name-defined]
        def get_tracer(self, *said: object, **more: object) -> object:
            traced.append((said, more))
            return trace.NoOpTracer()

    monkeypatch.setattr(trace, "get_tracer_provider", Collecting)
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "false")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")  # ms until spans are sent
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "50")
    with socket.create_server(("127.0.0.1", 0)) as collector:
        port = collector.getsockname()[1]
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
        server = serve()
        assert server.ask("GET", "/api/about").status == 200
        collector.settimeout(0.5)
        with pytest.raises(TimeoutError):
            collector.accept()
    assert traced == []


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET /api/about HTTP/1.1\r\nHost: local",
        b"POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n\r\n{",
    ],
    ids=["silent", "half a head", "half a body"],
)
def test_a_connection_without_a_whole_request_is_given_up(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr("pipeline.serve.web.connections.HEAD_S", 0.2)
    monkeypatch.setattr("pipeline.serve.web.bodies.BODY_S", 0.2)
    with socket.create_connection(("127.0.0.1", serve().port), timeout=20) as connection:
        connection.sendall(said)
        while connection.recv(1 << 16):
            pass  # an answer, perhaps; then the end
