"""A model server on loopback that speaks OpenAI's and Anthropic's protocols, with answers scripted by tests.

Embeddings are not scripted: they follow from the texts (see `model_vectors`).

As its own process: `python -m tests.sandbox.models --port N --delay-ms 2000 --script FILE`, where FILE is JSON (the answer to
every prompt), or Python with a function `answer(prompt: str)`.
"""

import argparse
import asyncio
import itertools
import json
import runpy
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from tests.sandbox import model_wire as wire
from tests.sandbox.model_failures import ERRORS, Kind
from tests.sandbox.model_schemas import Invalid
from tests.sandbox.model_vectors import read_texts, vectors_answer
from tests.sandbox.model_wire import Asked, Said
from tests.sandbox.serving import Scope, Serving, cut, hang, wait_until_told

FORMS = {
    "/v1/chat/completions": "chat",
    "/v1/responses": "responses",
    "/v1/messages": "messages",
    "/v1/embeddings": "embeddings",
}
Script = Any
"""What a model says: JSON, text as it stands, or a function from the prompt to one of these."""


@dataclass(slots=True)
class ModelFault:
    kind: Kind
    times: int
    provider: str | None
    seconds: float
    met: int = 0


@dataclass(slots=True)
class ModelRequest:
    """One call. `provider` is openai or anthropic; `prompt` is all its text; times are seconds since the epoch."""

    provider: str
    path: str
    body: Any
    prompt: str = ""
    key: bool = False
    status: int = 0
    fault: Kind | None = None
    started: float = field(default_factory=time.time)
    ended: float = 0.0
    answer: Any = None


class SandboxModels:
    """The server. Script it with `answer`, `sequence`, `fault`; look at `requests` afterwards.

    `openai_base_url` and `anthropic_base_url` are what the SDKs take. Any key is accepted, none is not.
    """

    def __init__(self, port: int = 0) -> None:
        self.requests: list[ModelRequest] = []
        self.delay_seconds = 0.0
        self.context_tokens = 200_000
        self._default: Script = {"findings": []}
        self._next: list[Script] = []
        self._faults: list[ModelFault] = []
        self._prefixes: set[str] = set()
        self._numbers = itertools.count(1)
        self._serving = Serving(self, port)
        self.url = self._serving.url

    def start(self) -> "SandboxModels":
        self._serving.start()
        return self

    def stop(self) -> None:
        self._serving.stop()

    @property
    def openai_base_url(self) -> str:
        return f"{self.url}/v1"

    @property
    def anthropic_base_url(self) -> str:
        return self.url

    @property
    def prompt_tokens(self) -> int:
        """Tokens of all prompts so far, at 3.5 bytes each."""
        return sum(wire.tokens(request.prompt) for request in self.requests)

    def answer(self, script: Script = None, *, findings: Sequence[Any] | None = None) -> None:
        """What every prompt is answered with from now on: JSON, a text as it stands, or a function of the prompt."""
        self._default = {"findings": list(findings)} if findings is not None else script

    def sequence(self, *scripts: Script) -> None:
        """What the next prompts are answered with, one after the other; then the usual answer again."""
        self._next += scripts

    def fault(self, kind: Kind | str, times: int = 1, *, provider: str | None = None, seconds: float = 1.0) -> ModelFault:
        """Let the next `times` calls fail (of one provider, or of any); `seconds` is the delay or the Retry-After."""
        fault = ModelFault(Kind(kind), times, provider, seconds)
        self._faults.append(fault)
        return fault

    async def __call__(
        self, scope: Scope, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        request = Request(scope, receive)
        try:
            raw = await request.body()
        except ClientDisconnect:
            return
        form = FORMS.get(request.url.path)
        if form is None or request.method != "POST":
            await Response('{"error":{"message":"Not Found"}}', 404, media_type="application/json")(scope, receive, send)
            return
        noted = ModelRequest("anthropic" if form == "messages" else "openai", request.url.path, _parsed(raw))
        self.requests.append(noted)
        try:
            response = await self._respond(form, noted, request)
            if response is not None:
                noted.status = response.status_code
                await response(scope, receive, send)
        finally:
            noted.ended = time.time()

    async def _respond(self, form: str, noted: ModelRequest, request: Request) -> Response | None:
        number, fault = next(self._numbers), self._hurting(noted)
        noted.fault = fault.kind if fault else None
        bearer = request.headers.get("authorization", "")[len("Bearer ") :]
        noted.key = bool(bearer or (form == "messages" and request.headers.get("x-api-key")))
        try:
            asked = self._asked(form, noted, request)
        except Invalid as invalid:
            kinds = {401: "authentication_error"}
            code = kinds.get(invalid.status, "invalid_request_error") if form == "messages" else invalid.code
            return _json(wire.error(form, invalid.status, code, invalid.message, number), invalid.status)
        if fault is not None and fault.kind is Kind.HANG:
            await hang(request.receive)
            return None
        if fault is not None and fault.kind in ERRORS:
            return _refusal(form, fault, number)
        script = None if form == "embeddings" else self._next.pop(0) if self._next else self._default
        await asyncio.sleep(self.delay_seconds + (fault.seconds if fault and fault.kind is Kind.SLOW else 0))
        if fault is not None and fault.kind is Kind.LOSE:
            await cut(request.scope)
            return None
        noted.answer = self._answer(asked, script, noted, number)
        body = json.dumps(noted.answer)
        return Response(body[: len(body) // 2] if noted.fault is Kind.BROKEN_BODY else body, media_type="application/json")

    def _answer(self, asked: Asked, script: Script, noted: ModelRequest, number: int) -> Any:
        if asked.form != "embeddings":
            return wire.answer(asked, self._said(asked, script, noted.fault), number)
        answer = vectors_answer(noted.body, read_texts(noted.body))
        if noted.fault is Kind.FEWER:
            answer["data"].pop()
        return answer

    def _hurting(self, noted: ModelRequest) -> ModelFault | None:
        for fault in self._faults:
            if fault.times > 0 and fault.provider in (None, noted.provider):
                fault.times, fault.met = fault.times - 1, fault.met + 1
                return fault
        return None

    def _asked(self, form: str, noted: ModelRequest, request: Request) -> Asked:
        if not noted.key:
            raise Invalid("You didn't provide an API key.", "invalid_api_key", 401)
        if form == "messages" and not request.headers.get("anthropic-version"):
            raise Invalid("anthropic-version: header is required")
        if not isinstance(noted.body, dict):
            raise Invalid("We could not parse the JSON body of your request.")
        if form == "embeddings":
            noted.prompt = "\n".join(read_texts(noted.body))
            return Asked(form, noted.body["model"], "", noted.prompt)
        asked = wire.read_request(form, noted.body)
        noted.prompt = asked.prompt
        if wire.tokens(asked.prompt) > self.context_tokens:
            size = wire.tokens(asked.prompt)
            raise Invalid(f"prompt is too long: {size} tokens > {self.context_tokens} maximum", "context_length_exceeded")
        return asked

    def _said(self, asked: Asked, script: Script, fault: Kind | None) -> Said:
        value = script(asked.prompt) if callable(script) else script
        text, cached = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), self._cached(asked)
        match fault:
            case Kind.MALFORMED:
                return Said(text[: max(len(text) // 2, 1)], cached=cached)
            case Kind.CUT:
                return Said(text[: max(len(text) // 2, 1)], "length", cached)
            case Kind.EMPTY:
                return Said("", cached=cached)
            case Kind.PROSE:
                return Said("Looks good to me! Here are some thoughts on your change.", cached=cached)
            case Kind.REFUSAL:
                return Said("I cannot help with that.", "refusal", cached)
        if asked.max_tokens is not None and wire.tokens(text) > asked.max_tokens:
            return Said(text[: int(asked.max_tokens * wire.BYTES_PER_TOKEN)], "length", cached)
        return Said(text, cached=cached)

    def _cached(self, asked: Asked) -> int:
        """Tokens of a stable prefix that was seen before; Anthropic caches only what is marked."""
        size, known = wire.tokens(asked.system), asked.system in self._prefixes
        if not asked.caching or size < wire.SMALLEST_CACHED:
            return 0
        self._prefixes.add(asked.system)
        return size if known else 0


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None


def _json(body: Any, status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body), status, headers, media_type="application/json")


def _refusal(form: str, fault: ModelFault, number: int) -> Response:
    status, openai, anthropic, words = ERRORS[fault.kind]
    headers = {"x-request-id": f"req_{number}", "request-id": f"req_{number}"}
    if fault.kind in (Kind.RATE_LIMIT, Kind.OVERLOADED, Kind.UNAVAILABLE) and fault.seconds > 0:
        headers["retry-after"] = f"{fault.seconds:g}"
    return _json(wire.error(form, status, anthropic if form == "messages" else openai, words, number), status, headers)


def read_script(path: Path) -> Script:
    """The script in a JSON or Python file."""
    return runpy.run_path(str(path))["answer"] if path.suffix == ".py" else json.loads(path.read_bytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay-ms", type=float, default=0)
    parser.add_argument("--script", type=Path)
    given = parser.parse_args()
    models = SandboxModels(given.port).start()
    models.delay_seconds = given.delay_ms / 1000
    if given.script:
        models.answer(read_script(given.script))
    print(json.dumps({"openai_base_url": models.openai_base_url, "anthropic_base_url": models.anthropic_base_url}), flush=True)
    wait_until_told()
    models.stop()


if __name__ == "__main__":
    main()
