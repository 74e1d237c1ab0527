"""Git's smart HTTP for the sandbox: `git http-backend` behind ASGI, with GitHub's token check and GitHub's abilities."""

import asyncio
import base64
import binascii
import contextlib
import os
import re
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

PATH = re.compile(r"/([\w.-]+)/([\w.-]+?)(?:\.git)?/(info/refs|git-upload-pack)")
ABILITIES = {
    "http.receivepack": "false",
    "http.getanyfile": "false",
    "uploadpack.allowFilter": "true",
    "uploadpack.allowReachableSHA1InWant": "true",
    "uploadpack.allowAnySHA1InWant": "true",
    "safe.directory": "*",
}
"""What GitHub's servers offer: partial clones, and any reachable commit by its id."""

PIECE = 1 << 16


def git_app(root: Path, may_read: Callable[[str, str], bool], abilities: dict[str, str] | None = None) -> App:
    """Serves fetches of the bare repositories `root/owner/name.git` at `/owner/name.git` (`.git` may be left out).

    `may_read(full_name, token)` says who may; the token is Basic auth's password, empty for a stranger. Who may not gets
    401, as on GitHub. `abilities` are git settings that change what the server offers.
    """
    settings = {**ABILITIES, **(abilities or {})}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        match = PATH.fullmatch(scope["path"])
        if match is None:
            await _answer(send, 404, b"Not Found")
            return
        owner, name, service = match.groups()
        token = _token(scope)
        if token is None or not may_read(f"{owner}/{name}", token):
            words = b"Invalid username or token." if token else b"No anonymous access."
            await _answer(send, 401, words, [(b"www-authenticate", b'Basic realm="GitHub"')])
        elif not (root / owner / f"{name}.git").is_dir():
            await _answer(send, 404, b"Repository not found.")
        else:
            environment = _environment(scope, root, f"/{owner}/{name}.git/{service}", settings)
            await _serve(environment, receive, send)

    return app


def _token(scope: Scope) -> str | None:
    """The password of Basic auth: empty without any, None when it cannot be read."""
    scheme, _, credential = _header(scope, b"authorization").partition(" ")
    if not scheme:
        return ""
    try:
        return base64.b64decode(credential).decode().partition(":")[2] if scheme.lower() == "basic" else None
    except (binascii.Error, UnicodeDecodeError):
        return None


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _environment(scope: Scope, root: Path, path: str, settings: dict[str, str]) -> dict[str, str]:
    """CGI's variables, and nothing of this process's own git settings."""
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_PROTOCOL": _header(scope, b"git-protocol"),
        "REQUEST_METHOD": scope["method"],
        "PATH_INFO": path,
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "CONTENT_TYPE": _header(scope, b"content-type"),
        "CONTENT_LENGTH": _header(scope, b"content-length"),
        "HTTP_CONTENT_ENCODING": _header(scope, b"content-encoding"),
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    for number, (key, value) in enumerate(settings.items()):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return {key: value for key, value in environment.items() if value}


async def _serve(environment: dict[str, str], receive: Receive, send: Send) -> None:
    process = await asyncio.create_subprocess_exec(
        "git", "http-backend", env=environment, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True
    )
    feeding = asyncio.create_task(_feed(process, receive))
    try:
        await _relay(process, send)
    finally:
        feeding.cancel()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _feed(process: Process, receive: Receive) -> None:
    """The request's body into the process; a client that hangs up ends it."""
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while (message := await receive())["type"] == "http.request":
            process.stdin.write(message.get("body", b""))
            await process.stdin.drain()
            if not message.get("more_body"):
                process.stdin.close()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


async def _relay(process: Process, send: Send) -> None:
    """The process's CGI answer, piece by piece."""
    assert process.stdout is not None
    try:
        head = await process.stdout.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        await _answer(send, 500, b"git http-backend gave no answer")
        return
    status, headers = 200, []
    for line in head.split(b"\r\n"):
        key, separator, value = line.partition(b": ")
        if key.lower() == b"status":
            status = int(value.split()[0])
        elif separator:
            headers.append((key.lower(), value))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    while piece := await process.stdout.read(PIECE):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body"})


async def _answer(send: Send, status: int, body: bytes, headers: Headers | None = None) -> None:
    plain = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*plain, *(headers or [])]})
    await send({"type": "http.response.body", "body": body})
