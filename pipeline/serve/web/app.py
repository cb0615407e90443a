"""The routes of the page and of its JSON API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from importlib.resources import files
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from pipeline.serve.answers import (
    About,
    Damage,
    FaceLines,
    Found,
    Problem,
    Question,
    Scores,
    Token,
    UploadState,
    Words,
)
from pipeline.serve.downloads.offers import TYPES
from pipeline.serve.refusals import Gone, Refusal
from pipeline.serve.service import FACE_S, Service
from pipeline.serve.uploads import ORIGINAL, media_type
from pipeline.serve.web.about import about
from pipeline.serve.web.bodies import Bounded
from pipeline.serve.web.lingering import Lingering
from pipeline.serve.web.security import COOKIE, Guard, Names, same

PAGE = files("pipeline.serve") / "page"
_PARTS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
# FastAPI would report requests to whatever collector the environment names.
_NO_TELEMETRY: Any = {
    name: False for name in ("tracing", "metrics", "logs", "operation_spans", "auto_configure")
}
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem} for status in (400, 401, 403, 404, 409, 413, 503)
}

Version = Annotated[str, Query(max_length=20, description="original, or damaged")]


def create_app(service: Service, names: Names, token: str | None) -> FastAPI:
    """Make the application.

    Parameters
    ----------
    service : Service
        It is closed with the application.
    names : Names
        By which it may be asked for.
    token : str or None
        Without which nobody gets an answer; None: none is needed.
    """

    @asynccontextmanager
    async def alive(_: FastAPI) -> AsyncIterator[None]:
        sweeping = asyncio.create_task(service.sweep())
        try:
            yield
        finally:
            sweeping.cancel()
            service.close()

    app = FastAPI(
        title="lnln serve",
        summary="What a model of sentiment saw in a video, and what moved its answer.",
        version=version("lnln"),
        lifespan=alive,
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
        openapi_url="/api/openapi.json",
        responses=_PROBLEMS,
        telemetry=_NO_TELEMETRY,
    )
    _add_page(app)
    _add_uploads(app, service)
    _add_answers(app, service)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _failed)
    app.add_exception_handler(Exception, _broken)

    @app.get("/api/about", response_model=About)
    def what_is_here() -> About:
        """Models, damages and limits of this server."""
        return about(service)

    @app.post("/api/login", status_code=204)
    def log_in(said: Token, request: Request) -> Response:
        """Give the token once; a cookie brings it from then on."""
        if not same(said.token, token):
            return JSONResponse({"error": "That is not the token of this server."}, 401)
        answer = Response(status_code=204)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, said.token, httponly=True, samesite="strict", secure=secure)
        return answer

    app.add_middleware(Bounded)
    app.add_middleware(Guard, names=names, token=token)
    return app


def _add_page(app: FastAPI) -> None:
    pages = {entry.name: entry.read_bytes() for entry in PAGE.iterdir() if entry.is_file()}

    def served(name: str) -> Response:
        kind = _PARTS[name[name.rindex(".") :]]
        return Response(pages[name], media_type=kind, headers={"Cache-Control": "no-cache"})

    @app.get("/", include_in_schema=False)
    def index() -> Response:
        return served("index.html")

    @app.get("/page/{name}", include_in_schema=False)
    def part(name: str) -> Response:
        if name not in pages:
            raise Gone("There is no such page here.")
        return served(name)


def _add_uploads(app: FastAPI, service: Service) -> None:
    @app.post(
        "/api/uploads",
        status_code=202,
        response_model=UploadState,
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
                },
            }
        },
    )
    async def upload(request: Request) -> Response:
        """Send a video: the body is the file, as it is. Its name is not asked for."""
        length = request.headers.get("content-length", "")
        try:
            taken = await service.take(
                int(length) if length.isdecimal() else None, request.stream()
            )
        except Refusal as refusal:
            return Lingering(refusal, request)
        except ClientDisconnect:  # nobody is there to hear an answer
            return Response(status_code=400)
        return JSONResponse(service.state(taken).model_dump(), 202)

    @app.get("/api/uploads/{upload_id}", response_model=UploadState)
    async def state(upload_id: str) -> UploadState:
        """Where an upload is: whether it waits, what is being done, what went wrong."""
        return service.state(service.uploads.get(upload_id))

    @app.delete("/api/uploads/{upload_id}", status_code=204)
    async def delete(upload_id: str) -> Response:
        """Delete a video and all that is known of it."""
        await service.delete(upload_id)
        return Response(status_code=204)

    @app.get("/api/uploads/{upload_id}/video", response_class=FileResponse)
    def video(upload_id: str, version: Version = ORIGINAL) -> FileResponse:
        """The video itself, or its damaged copy; parts of it, where a Range is asked for."""
        upload = service.uploads.get(upload_id)
        file = upload.file if version == ORIGINAL else upload.analysis(version).file
        if not file.is_file():
            raise Gone("There is no such video here: it was deleted, or its time was over.")
        return FileResponse(file, media_type=media_type(file))


def _add_answers(app: FastAPI, service: Service) -> None:
    @app.get("/api/uploads/{upload_id}/found", response_model=Found)
    def found(upload_id: str, version: Version = ORIGINAL) -> Found:
        """What was found in a video: words with their times, what was observed, what was odd."""
        return service.found(upload_id, version)

    @app.get("/api/uploads/{upload_id}/face", response_model=FaceLines)
    def face(
        upload_id: str,
        version: Version = ORIGINAL,
        start_s: Annotated[float, Query(ge=0, allow_inf_nan=False)] = 0.0,
        end_s: Annotated[float, Query(ge=0, allow_inf_nan=False)] = FACE_S,
    ) -> FaceLines:
        """The face that was followed, in a stretch of up to 20 s: its box and its lines."""
        return service.face(upload_id, version, start_s, end_s)

    @app.put("/api/uploads/{upload_id}/words", response_model=Found)
    def correct(upload_id: str, words: Words) -> Found:
        """Correct the words of a clip; voice and face stay as they were measured."""
        return service.correct(upload_id, words)

    @app.post("/api/uploads/{upload_id}/scores", response_model=Scores)
    async def score(upload_id: str, question: Question) -> Scores:
        """Ask all models, with some of the video left out if need be."""
        return await service.score(upload_id, question)

    @app.post("/api/uploads/{upload_id}/damage", status_code=202, response_model=UploadState)
    async def damage(upload_id: str, damage: Damage) -> UploadState:
        """Make a damaged copy of the video, and find anew what is in it."""
        return service.state(service.damage(upload_id, damage))

    @app.get("/api/uploads/{upload_id}/features.zip", response_class=Response)
    async def features(upload_id: str, version: Version = ORIGINAL) -> Response:
        """All features, as `lnln extract` writes them."""
        return await attached(upload_id, version, "features.zip")

    @app.get("/api/uploads/{upload_id}/timeline.{kind}", response_class=Response)
    async def timeline(
        upload_id: str,
        kind: Literal["csv", "json", "parquet", "vtt", "srt", "png", "svg"],
        version: Version = ORIGINAL,
    ) -> Response:
        """What `lnln timeline` writes of a video, with the words as they are now."""
        return await attached(upload_id, version, f"timeline.{kind}")

    @app.get("/api/uploads/{upload_id}/picture.{kind}", response_class=Response)
    async def picture(
        upload_id: str,
        kind: Literal["svg", "png", "html"],
        version: Version = ORIGINAL,
    ) -> Response:
        """What `lnln show` draws of a clip, with the words as they are now."""
        return await attached(upload_id, version, f"picture.{kind}")

    async def attached(upload_id: str, version: str, name: str) -> Response:
        """A download, under a name of ours."""
        content = await service.download(upload_id, version, name)
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=TYPES[name], headers=headers)


async def _refused(_: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    headers = None if refusal.retry_s is None else {"Retry-After": str(refusal.retry_s)}
    return JSONResponse({"error": refusal.message}, refusal.status, headers)


async def _invalid(_: Request, error: Exception) -> Response:
    """Say what is wrong with a request, without repeating all of it."""
    assert isinstance(error, RequestValidationError)
    told = [
        f"{'.'.join(str(part)[:50] for part in each['loc'][1:])}: {each['msg']}"
        for each in error.errors()[:5]
    ]
    return JSONResponse({"error": "; ".join(told)}, 422)


async def _failed(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": str(error.detail)}, error.status_code, error.headers)


async def _broken(_: Request, error: Exception) -> Response:
    """Say that it is not the person's fault; the traceback is for whoever runs the server."""
    return JSONResponse({"error": f"This server made a mistake ({type(error).__name__})."}, 500)
