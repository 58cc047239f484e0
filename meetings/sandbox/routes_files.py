"""REST: uploading files and reading them, whole or in part."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile
from starlette.responses import FileResponse

from meetings.sandbox import files, refusals
from meetings.sandbox.http import SignedIn, answer, checked, headers_of, world_of
from meetings.sandbox.model import File
from meetings.sandbox.shapes import file_json
from meetings.sandbox.world import World

router = APIRouter(prefix="/api/v4")

CHUNK = 256 * 1024  # bytes
MAX_FILES = 10
FORM_SLACK = 1024 * 1024  # bytes that a form may be larger than its file


@router.post("/files")
async def upload(request: Request, caller: SignedIn) -> Response:
    """Upload files: a form with `channel_id` and `files`, or a bare body with both named in the address."""
    world = world_of(request)
    uploads: list[tuple[str, str, int]] = []
    client_ids: list[str] = []
    if request.headers.get("content-type", "").startswith("multipart/"):
        # A form is read to disk before it is looked at: what is far too large is refused by its announced length.
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > world.max_file_size + FORM_SLACK:
            raise files.too_large("the form", int(announced), world.max_file_size)
        async with request.form(max_files=MAX_FILES) as form:
            channel_id = form.get("channel_id") or request.query_params.get("channel_id", "")
            with world.change() as tx:
                files.check_upload(tx, caller.user, str(channel_id))
            client_ids = [c for c in form.getlist("client_ids") if isinstance(c, str)]
            for part in form.getlist("files"):
                if isinstance(part, UploadFile):
                    name = files.safe_name(part.filename or "")
                    uploads.append((name, *await files.receive(world, _chunks(part), name=name)))
    else:
        channel_id = request.query_params.get("channel_id", "")
        with world.change() as tx:
            files.check_upload(tx, caller.user, channel_id)
        if not request.query_params.get("filename"):
            raise refusals.bad_body("filename")
        name = files.safe_name(request.query_params["filename"])
        uploads.append((name, *await files.receive(world, request.stream(), name=name)))
    if not uploads:
        raise refusals.bad_body("files")
    with world.change() as tx:
        kept = [
            files.note(tx, caller.user, file_id=file_id, channel_id=str(channel_id), name=name, size=size)
            for name, file_id, size in uploads
        ]
    shown = {"file_infos": [file_json(f) for f in kept], "client_ids": client_ids}
    return answer(request, shown, status=201)


@router.get("/files/{file_id}")
async def get_file(request: Request, file_id: str, caller: SignedIn) -> Response:
    """A file's bytes; `Range` gives a part of them."""
    with world_of(request).change() as tx:
        file = files.readable(tx, caller.user, checked(file_id, "file_id"))
    return send(world_of(request), file, headers=headers_of(request))


@router.get("/files/{file_id}/info")
async def get_file_info(request: Request, file_id: str, caller: SignedIn) -> Response:
    """What is known of a file."""
    with world_of(request).change() as tx:
        file = files.readable(tx, caller.user, checked(file_id, "file_id"))
    return answer(request, file_json(file))


def send(world: World, file: File, *, headers: dict[str, str]) -> Response:
    """The answer with a file's bytes, to be shown for media and downloaded otherwise."""
    kind = file.mime_type or "application/octet-stream"
    if kind.startswith(files.UNSAFE):
        kind = "text/plain"
    disposition = "inline" if kind.startswith(files.MEDIA) else "attachment"
    name = quote(file.name)
    return FileResponse(
        files.path_of(world, file),
        media_type=kind,
        headers={
            **headers,
            "Cache-Control": "private, no-cache",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Content-Security-Policy": "frame-ancestors 'none'",
            "Content-Disposition": f"{disposition};filename=\"{name}\"; filename*=UTF-8''{name}",
        },
    )


async def _chunks(part: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await part.read(CHUNK):
        yield chunk
