"""What OpenAI and Anthropic refuse in a JSON schema for structured output."""

from collections.abc import Iterator
from typing import Any

JSON = Any


class Invalid(Exception):
    """A request that the provider answers with 400; `code` is OpenAI's word for it."""

    def __init__(self, message: str, code: str = "invalid_request_error", status: int = 400) -> None:
        super().__init__(message)
        self.message, self.code, self.status = message, code, status


def openai_schema(given: JSON, where: str) -> JSON:
    if not given.get("name") or not isinstance(given.get("schema"), dict):
        raise Invalid(f"Missing required parameter: '{where}.name'.", "missing_required_parameter")
    if given.get("strict"):
        for path, part in _objects(given["schema"], ()):
            if part.get("additionalProperties") is not False:
                raise _bad_schema(given["name"], path, "'additionalProperties' is required to be supplied and to be false.")
            if set(part.get("required", ())) != set(part.get("properties", {})):
                raise _bad_schema(
                    given["name"],
                    path,
                    "'required' is required to be supplied and to be an array including every key in properties.",
                )
    return given["schema"]


def _bad_schema(name: str, path: tuple[str, ...], why: str) -> Invalid:
    return Invalid(f"Invalid schema for response_format '{name}': In context={path}, {why}", "invalid_json_schema")


ANTHROPIC_REFUSES = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
)


def check_anthropic_schema(schema: JSON) -> None:
    """Structured outputs take objects without other properties, and no bounds on numbers, strings or arrays."""
    for path, part in _parts(schema, ()):
        if part.get("type") == "object" and part.get("additionalProperties") is not False:
            raise Invalid(
                f"output_config.format.schema: For 'object' type, 'additionalProperties' must be set to false ({path})"
            )
        refused = [word for word in ANTHROPIC_REFUSES if word in part]
        if refused:
            kind = part.get("type", "schema")
            raise Invalid(f"output_config.format.schema: For '{kind}' type, property '{refused[0]}' is not supported ({path})")


def _objects(schema: JSON, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], JSON]]:
    return ((where, part) for where, part in _parts(schema, path) if part.get("type") == "object" or "properties" in part)


def _parts(schema: JSON, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], JSON]]:
    """Every schema within a schema."""
    if not isinstance(schema, dict):
        return
    yield path, schema
    for word in ("properties", "$defs", "definitions"):
        for name, part in (schema.get(word) or {}).items():
            yield from _parts(part, (*path, word, name))
    for word in ("items", "anyOf", "oneOf", "allOf"):
        inside = schema.get(word)
        for number, part in enumerate(inside if isinstance(inside, list) else [inside]):
            yield from _parts(part, (*path, word, str(number)))
