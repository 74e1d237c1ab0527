"""Hold what goes over the wire against GitHub's own OpenAPI description (npm `@octokit/openapi`), fetched on first use."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import jsonschema

from tests.sandbox.answering import Route
from tests.sandbox.routes import ROUTES
from tests.sandbox.server import Exchange

PACKAGE, VERSION = "@octokit/openapi", "23.0.2"
MEMBER = "package/generated/api.github.com.json"
FOLDER = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "refactoriq-tests"
FORMAT = 2
"""Raised whenever the extract below changes its form."""
ALWAYS = frozenset({304, 400, 401, 403, 404, 406, 413, 422, 429, 500, 502, 503, 504})
"""Statuses that any operation may answer with, named in its description or not."""


class ContractMissing(Exception):
    """GitHub's description could not be had; the text says why."""


class Contract:
    """The operations that the sandbox serves, with their schemas, ready to hold exchanges against."""

    def __init__(self, extract: dict[str, Any]) -> None:
        self._operations: dict[str, Any] = extract["operations"]
        self._schemas: dict[str, Any] = extract["schemas"]
        self._validators: dict[str, jsonschema.Draft202012Validator] = {}

    def violations(self, exchanges: Iterable[Exchange]) -> list[str]:
        """A sentence for everything that is not as described. Exchanges hurt by a fault count for their request only."""
        found: list[str] = []
        for exchange in list(exchanges):
            if exchange.violations is None and (exchange.status or exchange.done):
                exchange.violations = tuple(self._check(exchange))
            found += exchange.violations or ()
        return found

    def _check(self, exchange: Exchange) -> Iterator[str]:
        if exchange.route is None or not exchange.route.described:
            return
        operation = self._operations[_key(exchange.route)]
        where = f"{exchange.method} {exchange.path}"
        yield from (f"{where}: the request's {words}" for words in self._request(exchange, operation))
        if exchange.fault is None and exchange.status:
            yield from (f"{where} -> {exchange.status}: the answer's {words}" for words in self._response(exchange, operation))

    def _request(self, exchange: Exchange, operation: Any) -> Iterator[str]:
        if exchange.body and operation["request"] is not None:
            yield from self._wrong(f"{_key(exchange.route)} request", operation["request"], exchange.body)

    def _response(self, exchange: Exchange, operation: Any) -> Iterator[str]:
        schema = operation["responses"].get(str(exchange.status))
        if str(exchange.status) not in operation["responses"] and exchange.status not in ALWAYS:
            yield f"status is not described (only {', '.join(operation['responses'])})"
        if schema and exchange.answer is not None and not isinstance(exchange.answer, bytes):
            yield from self._wrong(f"{_key(exchange.route)} {exchange.status}", schema, exchange.answer)

    def check(self, name: str, value: Any) -> list[str]:
        """Hold one value against one of the description's named schemas."""
        return list(self._wrong(name, {"$ref": f"#/$defs/{name}"}, value))

    def _wrong(self, name: str, schema: Any, value: Any) -> Iterator[str]:
        validator = self._validators.get(name)
        if validator is None:
            validator = self._validators[name] = jsonschema.Draft202012Validator({**schema, "$defs": self._schemas})
        for error in validator.iter_errors(value):
            deepest = jsonschema.exceptions.best_match([error]) or error
            yield f"{'/'.join(map(str, deepest.absolute_path)) or 'body'} {deepest.message[:200]}"


def load_contract(folder: Path = FOLDER) -> Contract:
    """GitHub's description, from the cache folder or fetched with npm into it. Raises ContractMissing."""
    extracted = folder / f"github-{VERSION}-{FORMAT}-{_fingerprint()}.json"
    if not extracted.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _write(extracted, json.dumps(extract(_description(folder))))
    return Contract(json.loads(extracted.read_bytes()))


def _fingerprint() -> str:
    """Changes with the routes, so that a new route is extracted anew."""
    return hashlib.sha256("\n".join(sorted(map(_key, _described()))).encode()).hexdigest()[:12]


def _description(folder: Path) -> Any:
    whole = folder / f"octokit-openapi-{VERSION}.json"
    if not whole.is_file():
        npm = shutil.which("npm")
        if npm is None:
            raise ContractMissing("npm is not installed, so GitHub's OpenAPI description cannot be fetched")
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            command = [npm, "pack", "--silent", f"{PACKAGE}@{VERSION}"]
            done = subprocess.run(command, cwd=temporary, capture_output=True, text=True, timeout=300, check=False)
            if done.returncode != 0:
                raise ContractMissing(f"`npm pack {PACKAGE}@{VERSION}` failed: {done.stderr.strip()[-300:]}")
            with tarfile.open(Path(temporary) / done.stdout.split()[-1]) as archive:
                member = archive.extractfile(MEMBER)
                assert member is not None
                _write(whole, member.read().decode())
    return json.loads(whole.read_bytes())


def _write(path: Path, text: str) -> None:
    """Whole or not at all: several test workers may do this at once."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        file.write(text)
    Path(file.name).replace(path)


def extract(description: Any) -> dict[str, Any]:
    """What concerns the sandbox: its operations and every schema that they lead to, in the words of JSON Schema 2020-12."""
    operations = {_key(route): _operation(description, route) for route in _described()}
    hooks = {
        name: _named(name)
        for name in description["components"]["schemas"]
        if re.match(r"webhook-(pull-request|installation|push$)", name)
    }
    wanted = [json.dumps([operations, hooks])]
    schemas: dict[str, Any] = {}
    while wanted:
        for name in set(re.findall(r'"#/\$defs/([^"]+)"', wanted.pop())) - schemas.keys():
            schemas[name] = _translated(description["components"]["schemas"][name])
            wanted.append(json.dumps(schemas[name]))
    for name, correction in CORRECTIONS.items():
        _correct(schemas, name, correction)
    return {"operations": operations, "schemas": schemas}


def _named(name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{name}"}


def _described() -> list[Route]:
    return [route for route in ROUTES if route.described]


def _key(route: Route | None) -> str:
    assert route is not None
    return f"{route.method} {route.template}"


def _operation(description: Any, route: Route) -> dict[str, Any]:
    found = description["paths"][route.template][route.method.lower()]
    body = (found.get("requestBody") or {}).get("content", {}).get("application/json", {}).get("schema")
    responses = {}
    for status, named in found["responses"].items():
        shared = named.get("$ref", "").rpartition("/")[2]
        response = description["components"]["responses"][shared] if shared else named
        responses[status] = _translated(response.get("content", {}).get("application/json", {}).get("schema"))
    return {"request": _translated(body), "responses": responses}


def _translated(schema: Any) -> Any:
    """OpenAPI 3.0's dialect in JSON Schema's: `nullable`, and references into `$defs`."""
    if isinstance(schema, list):
        return [_translated(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _named(schema["$ref"].rpartition("/")[2])
    dropped = (
        "nullable",
        "example",
        "examples",
        "description",
        "discriminator",
        "deprecated",
        "format",
        "externalDocs",
        "xml",
        "title",
    )
    new = {
        key: _translated(value)
        for key, value in schema.items()
        if key not in dropped or not isinstance(value, str | bool | dict)
    }
    new |= {key: {name: _translated(part) for name, part in schema[key].items()} for key in ("properties",) if key in schema}
    return {"anyOf": [new, {"type": "null"}]} if schema.get("nullable") is True else new


ANY: dict[str, Any] = {}
NULLABLE_INTEGER = {"type": ["integer", "null"]}
CORRECTIONS: dict[str, dict[str, Any]] = {
    "review-comment": {"line": NULLABLE_INTEGER, "position": NULLABLE_INTEGER, "original_line": NULLABLE_INTEGER},
    "pull-request-review-comment": {"line": NULLABLE_INTEGER, "position": NULLABLE_INTEGER, "original_line": NULLABLE_INTEGER},
}
"""Where the description is not the truth: outdated and whole-file comments have a null `line`."""


def _correct(schemas: dict[str, Any], name: str, correction: dict[str, Any]) -> None:
    if name in schemas:
        schemas[name]["properties"] |= correction
