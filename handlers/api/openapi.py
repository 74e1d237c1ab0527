"""The API's description in OpenAPI 3.1, made from the table of endpoints: whatever the table knows stands in it."""

import re
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from handlers.api.answers import JSON
from handlers.api.endpoint import Endpoint, Needs, Pace
from handlers.api.forms import LARGEST_ID, Envelope, ErrorEnvelope, Nothing
from handlers.api.problem import MEANINGS, Code

IN_PATH = re.compile(r"\{(\w+)(?::\w+)?\}")

Schema = dict[str, Any]

DESCRIPTION = """\
Every answer in JSON is an envelope: `{success, data, message, timestamp}`, or `{success, error: {code, message, details},
timestamp}`. What one may not see is 404. Lists come in pages: hand `next_cursor` back as `cursor`.
"""

HEADERS: dict[str, tuple[str, Schema]] = {
    "X-Request-ID": ("The request's id, as the logs know it: the caller's own where one was sent.", {"type": "string"}),
    "RateLimit-Limit": ("Requests in the nearest limit's window.", {"type": "integer"}),
    "RateLimit-Remaining": ("How many of them are left.", {"type": "integer"}),
    "RateLimit-Reset": ("Seconds until another one is free.", {"type": "integer"}),
    "RateLimit-Policy": ("All limits that this request counted against, as `100;w=60`.", {"type": "string"}),
    "Retry-After": ("Seconds after which to come again.", {"type": "integer"}),
    "ETag": ("For If-None-Match: the data's version.", {"type": "string"}),
    "Idempotency-Replayed": ("`true` where this is the answer to an earlier request with the key.", {"type": "string"}),
}
LIMITED = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy")

ALWAYS = (Code.INTERNAL, Code.UNAVAILABLE, Code.TIMEOUT, Code.HEADERS_TOO_LARGE, Code.TOO_LARGE, Code.SLOW_BODY)
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A word of the caller's own, for 24 hours: the same request with it is done once, and answered alike.",
    "schema": {"type": "string", "pattern": r"^[!-~]{1,255}$"},
}


def describe(endpoints: Sequence[Endpoint], public_url: str) -> Schema:
    """The whole document. `public_url` may be empty: then the paths are relative to where it was read."""
    names = _Schemas(endpoints)
    paths: dict[str, Schema] = {}
    for endpoint, name in zip(endpoints, _operation_ids(endpoints), strict=True):
        told = {"operationId": name} | _operation(endpoint, names)
        paths.setdefault(IN_PATH.sub(r"{\1}", endpoint.path), {})[endpoint.method.lower()] = told
    return {
        "openapi": "3.1.0",
        "info": {"title": "RefactorIQ", "version": version("refactoriq"), "description": DESCRIPTION},
        "servers": [{"url": f"{public_url}/api/v1"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(endpoint.tag for endpoint in endpoints)],
        "paths": paths,
        "components": {
            "schemas": names.components,
            "headers": {name: {"description": words, "schema": schema} for name, (words, schema) in HEADERS.items()},
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An access token of `/auth/login`, or an API key.",
                }
            },
        },
    }


def _operation_ids(endpoints: Sequence[Endpoint]) -> Iterable[str]:
    """The action of each; where several do the same, the later ones are told apart by their functions."""
    given: set[str] = set()
    for endpoint in endpoints:
        name = endpoint.action.replace(".", "_")
        name = name if name not in given else f"{name}_{endpoint.function.__name__}"
        given.add(name)
        yield name


class _Schemas:
    """The forms of all endpoints as components, and how to refer to each."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = [(ErrorEnvelope, "serialization")]
        for endpoint in endpoints:
            wanted += [(form, "validation") for form in (endpoint.body, endpoint.query) if form is not Nothing]
            if endpoint.data is not None:
                wanted.append((_envelope(endpoint), "serialization"))
        refs, document = models_json_schema(list(dict.fromkeys(wanted)), ref_template="#/components/schemas/{model}")
        self._refs: dict[Any, Schema] = {key: _renamed(ref) for key, ref in refs.items()}
        known: Schema = {_name(name): _renamed(schema) for name, schema in document["$defs"].items()}
        queries = {self._component((endpoint.query, "validation")) for endpoint in endpoints if endpoint.query is not Nothing}
        self._queries: Schema = {name: known[name] for name in queries}
        self.components: Schema = {name: known[name] for name in known if name not in queries}

    def _component(self, form: tuple[type[BaseModel], JsonSchemaMode]) -> str:
        return str(self._refs[form]["$ref"]).rsplit("/", 1)[1]

    def data(self, endpoint: Endpoint) -> Schema:
        """The envelope with the endpoint's data."""
        return self._refs[(_envelope(endpoint), "serialization")]

    def body(self, endpoint: Endpoint) -> Schema:
        return self._refs[(endpoint.body, "validation")]

    def error(self) -> Schema:
        return self._refs[(ErrorEnvelope, "serialization")]

    def query(self, endpoint: Endpoint) -> Schema:
        """The query's own schema: its properties are parameters, and it is no component."""
        form: Schema = self._queries[self._component((endpoint.query, "validation"))]
        return form


def _envelope(endpoint: Endpoint) -> type[BaseModel]:
    """The whole form of the endpoint's success."""
    return cast("type[BaseModel]", Envelope.__class_getitem__(endpoint.data))


def _name(name: str) -> str:
    """`Envelope_Page_Job__` is written JobPageEnvelope."""
    return "".join(reversed([part for part in name.split("_") if part]))


def _renamed(value: Any) -> Any:
    """The same schema, with every reference to a component by its new name."""
    if isinstance(value, dict):
        return {key: _reference(each) if key == "$ref" else _renamed(each) for key, each in value.items() if key != "title"
                or not isinstance(each, str)}  # fmt: skip
    return [_renamed(each) for each in value] if isinstance(value, list) else value


def _reference(ref: str) -> str:
    head, _, name = ref.rpartition("/")
    return f"{head}/{_name(name)}"


def _operation(endpoint: Endpoint, names: _Schemas) -> Schema:
    nobody = endpoint.needs is Needs.NOBODY
    told: Schema = {
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "description": " ".join((endpoint.function.__doc__ or "").split()),
        "parameters": [*_in_path(endpoint), *_in_query(endpoint, names)],
        "responses": _successes(endpoint, names) | _errors(endpoint, names),
        "security": [*([{}] if nobody else []), *([{"bearer": []}] if endpoint.knows_callers or not nobody else [])],
        "x-required-role": endpoint.needs.value,
    }
    if not nobody:
        told["x-scope"] = None if endpoint.session_only else endpoint.scope
    if endpoint.repeatable:
        told["parameters"].append(IDEMPOTENCY_KEY)
    if endpoint.body is not Nothing:
        told["requestBody"] = {"required": True, "content": {JSON: {"schema": names.body(endpoint)}}}
    elif endpoint.takes:
        told["requestBody"] = {"required": True, "content": {kind: {"schema": _file(kind)} for kind in endpoint.takes}}
    return told


def _file(kind: str) -> Schema:
    """A body that is files: several of them in a form, or one by itself."""
    if kind != "multipart/form-data":
        return {}
    one = {"type": "string", "contentMediaType": "application/octet-stream"}
    return {"type": "object", "required": ["files"], "properties": {"files": {"type": "array", "items": one, "minItems": 1}}}


def _in_path(endpoint: Endpoint) -> Iterable[Schema]:
    for name in IN_PATH.findall(endpoint.path):
        number = {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}
        schema = number if name == "id" or name.endswith("_id") else {"type": "string", "minLength": 1}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(endpoint: Endpoint, names: _Schemas) -> Iterable[Schema]:
    if endpoint.query is Nothing:
        return
    form = names.query(endpoint)
    for name, schema in form.get("properties", {}).items():
        # A parameter is there or is not: the null by which its form says so is none that could be sent.
        kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
        rest = {key: value for key, value in schema.items() if key not in ("anyOf", "description") and value is not None}
        merged = {**rest, **kinds[0]} if len(kinds) == 1 else rest | ({"anyOf": kinds} if kinds else {})
        told = {"name": name, "in": "query", "required": name in form.get("required", ()), "schema": merged}
        yield told | ({"description": schema["description"]} if "description" in schema else {})


def _successes(endpoint: Endpoint, names: _Schemas) -> Schema:
    json = {JSON: {"schema": names.data(endpoint)}} if endpoint.data is not None else {}
    shown = ["X-Request-ID", *(LIMITED if endpoint.pace is not Pace.NONE else ())]
    shown += ["Idempotency-Replayed"] if endpoint.repeatable else []
    shown += ["ETag"] if endpoint.method == "GET" and json else []
    answers: Schema = {}
    for status in (endpoint.status, *endpoint.also):
        files: Schema = {kind: {"schema": {}} for kind in endpoint.gives} if status == endpoint.status or not json else {}
        answers[str(status)] = {"description": endpoint.summary, "headers": _headers(shown)}
        if content := json | files:
            answers[str(status)]["content"] = content
    if endpoint.method == "GET" and json:
        answers["304"] = {"description": "The caller has it already (If-None-Match).", "headers": _headers(shown)}
    return answers


def _errors(endpoint: Endpoint, names: _Schemas) -> Schema:
    by_status: dict[int, list[Code]] = {}
    for code in dict.fromkeys(_codes(endpoint)):
        by_status.setdefault(MEANINGS[code].status, []).append(code)
    return {str(status): _error(codes, names) for status, codes in sorted(by_status.items())}


def _error(codes: Sequence[Code], names: _Schemas) -> Schema:
    words = " ".join(f"`{code}`: {MEANINGS[code].words}" for code in codes)
    again = {Code.RATE_LIMITED, Code.UNAVAILABLE, Code.REQUEST_IN_PROGRESS} & set(codes)
    shown = ["X-Request-ID", *(["Retry-After"] if again else []), *(LIMITED if Code.RATE_LIMITED in codes else [])]
    return {
        "description": words,
        "headers": _headers(shown),
        "content": {JSON: {"schema": names.error()}},
        "x-codes": [code.value for code in codes],
    }


def _headers(names: Iterable[str]) -> Schema:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _codes(endpoint: Endpoint) -> Iterable[Code]:
    """Every error that such an endpoint may give."""
    yield from (*endpoint.codes, *ALWAYS)
    yield Code.UNAUTHENTICATED  # a token that is not valid is refused everywhere
    if endpoint.data is not None or endpoint.gives:
        yield Code.NOT_ACCEPTABLE
    if endpoint.pace is not Pace.NONE:
        yield Code.RATE_LIMITED
    if endpoint.needs is not Needs.NOBODY:
        yield from (Code.FORBIDDEN, Code.INSUFFICIENT_SCOPE)
    if "{" in endpoint.path:
        yield Code.NOT_FOUND
    if endpoint.query is not Nothing:
        yield Code.INVALID
        if "cursor" in endpoint.query.model_fields:
            yield Code.INVALID_CURSOR
    if endpoint.body is not Nothing or endpoint.takes:
        yield from (Code.MALFORMED, Code.INVALID, Code.UNSUPPORTED_MEDIA_TYPE)
    if endpoint.repeatable:
        yield from (Code.INVALID, Code.IDEMPOTENCY_KEY_REUSED, Code.REQUEST_IN_PROGRESS)
