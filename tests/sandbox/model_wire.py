"""The wire forms of OpenAI (chat completions, responses) and Anthropic (messages): what is asked, and the answers."""

import json
from dataclasses import dataclass
from typing import Any

from tests.sandbox.model_schemas import Invalid, check_anthropic_schema, openai_schema

JSON = Any
BYTES_PER_TOKEN = 3.5
SMALLEST_CACHED = 1_024
"""Tokens that a prefix must have before a provider caches it."""


def tokens(text: str) -> int:
    return int(len(text.encode(errors="replace")) / BYTES_PER_TOKEN) + 1 if text else 0


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, whatever the protocol. `system` is the stable prefix, `user` the rest; `schema` what the answer must fit."""

    form: str
    model: str
    system: str
    user: str
    schema: JSON = None
    tool: str | None = None
    max_tokens: int | None = None
    caching: bool = True

    @property
    def prompt(self) -> str:
        return f"{self.system}\n{self.user}" if self.system else self.user


@dataclass(frozen=True, slots=True)
class Said:
    """What the model says. `ended` is stop, length or refusal."""

    text: str
    ended: str = "stop"
    cached: int = 0


def read_request(form: str, body: JSON) -> Asked:
    """Take a request apart. Raises Invalid where the provider would refuse it."""
    if not isinstance(body.get("model"), str):
        raise Invalid("you must provide a model parameter", "missing_required_parameter")
    if body.get("stream"):
        raise Invalid("this sandbox does not stream", "unsupported_value")
    return {"chat": _chat, "responses": _responses, "messages": _messages}[form](body)


def _chat(body: JSON) -> Asked:
    messages = _list(body, "messages")
    _reasoning_model(body, "max_tokens", "max_completion_tokens")
    system = "\n".join(_text(m.get("content")) for m in messages if m.get("role") in ("system", "developer"))
    user = "\n".join(_text(m.get("content")) for m in messages if m.get("role") not in ("system", "developer"))
    schema = None
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        schema = openai_schema(wanted.get("json_schema") or {}, "response_format")
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    return Asked("chat", body["model"], system, user, schema, None, limit)


def _responses(body: JSON) -> Asked:
    _reasoning_model(body, "max_tokens", "max_output_tokens")
    given = body.get("input")
    rows = [{"role": "user", "content": given}] if isinstance(given, str) else _list(body, "input")
    system = "\n".join(
        [body.get("instructions") or "", *[_text(r.get("content")) for r in rows if r.get("role") in ("system", "developer")]]
    )
    user = "\n".join(_text(r.get("content")) for r in rows if r.get("role") not in ("system", "developer"))
    wanted = (body.get("text") or {}).get("format") or {}
    schema = openai_schema(wanted, "text.format") if wanted.get("type") == "json_schema" else None
    return Asked("responses", body["model"], system.strip("\n"), user, schema, None, body.get("max_output_tokens"))


def _messages(body: JSON) -> Asked:
    if not isinstance(body.get("max_tokens"), int):
        raise Invalid("max_tokens: Field required")
    messages, system = _list(body, "messages"), body.get("system") or ""
    user = "\n".join(_text(m.get("content")) for m in messages)
    wanted = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
    schema = wanted.get("schema")
    if schema is not None:
        check_anthropic_schema(schema)
    choice, tools = body.get("tool_choice") or {}, {tool["name"]: tool for tool in body.get("tools") or []}
    tool = (
        choice.get("name") if choice.get("type") == "tool" else next(iter(tools), None) if choice.get("type") == "any" else None
    )
    if tool is not None:
        if tool not in tools:
            raise Invalid(f"tool_choice.tool.name: Tool '{tool}' not found in provided tools")
        schema = tools[tool]["input_schema"]
    caching = "cache_control" in json.dumps(system) or "cache_control" in body
    return Asked("messages", body["model"], _text(system), user, schema, tool, body["max_tokens"], caching)


def _list(body: JSON, name: str) -> list[JSON]:
    rows = body.get(name)
    if not isinstance(rows, list) or not rows:
        raise Invalid(f"Missing required parameter: '{name}'.", "missing_required_parameter")
    return rows


def _text(content: JSON) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content or [] if isinstance(part, dict))


def _reasoning_model(body: JSON, wrong: str, right: str) -> None:
    if body["model"].startswith(("gpt-5", "o1", "o3", "o4")):
        if wrong in body:
            raise Invalid(
                f"Unsupported parameter: '{wrong}' is not supported with this model. Use '{right}' instead.",
                "unsupported_parameter",
            )
        if body.get("temperature") not in (None, 1):
            raise Invalid("Unsupported value: 'temperature' does not support that value with this model.", "unsupported_value")


def answer(asked: Asked, said: Said, number: int) -> JSON:
    """The whole answer in the protocol's form."""
    used = (tokens(asked.prompt), said.cached, tokens(said.text))
    return {"chat": _chat_answer, "responses": _responses_answer, "messages": _messages_answer}[asked.form](
        asked, said, number, *used
    )


def _chat_answer(asked: Asked, said: Said, number: int, given: int, cached: int, out: int) -> JSON:
    refused = said.ended == "refusal"
    message: JSON = {
        "role": "assistant",
        "content": None if refused else said.text,
        "refusal": said.text if refused else None,
        "annotations": [],
    }
    ended = "length" if said.ended == "length" else "stop"
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": asked.model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": ended}],
        "usage": {
            "prompt_tokens": given,
            "completion_tokens": out,
            "total_tokens": given + out,
            "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
        "service_tier": "default",
        "system_fingerprint": None,
    }


def _responses_answer(asked: Asked, said: Said, number: int, given: int, cached: int, out: int) -> JSON:
    cut = said.ended == "length"
    part: JSON = {"type": "output_text", "text": said.text, "annotations": [], "logprobs": []}
    if said.ended == "refusal":
        part = {"type": "refusal", "refusal": said.text}
    status = "incomplete" if cut else "completed"
    message = {"id": f"msg_{number}", "type": "message", "role": "assistant", "status": status, "content": [part]}
    return {
        "id": f"resp_{number}",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "instructions": None,
        "max_output_tokens": asked.max_tokens,
        "model": asked.model,
        "output": [message],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": given,
            "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
            "output_tokens": out,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": given + out,
        },
        "metadata": {},
    }


def _messages_answer(asked: Asked, said: Said, number: int, given: int, cached: int, out: int) -> JSON:
    content: list[JSON] = [{"type": "text", "text": said.text}] if said.text else []
    reason = {"length": "max_tokens", "refusal": "refusal"}.get(said.ended, "end_turn")
    if asked.tool is not None and said.ended == "stop" and said.text:
        content = [{"type": "tool_use", "id": f"toolu_{number}", "name": asked.tool, "input": _object(said.text)}]
        reason = "tool_use"
    return {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": {
            "input_tokens": given - cached,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": cached,
            "output_tokens": out,
            "service_tier": "standard",
        },
    }


def _object(text: str) -> JSON:
    """A tool's input is an object already; what is no JSON comes as one odd field, as models do."""
    try:
        value = json.loads(text)
    except ValueError:
        return {"text": text}
    return value if isinstance(value, dict) else {"value": value}


def error(form: str, status: int, kind: str, message: str, number: int) -> JSON:
    """An error in the protocol's form; `kind` is the provider's own word (`rate_limit_error`, `insufficient_quota` …)."""
    if form == "messages":
        return {"type": "error", "error": {"type": kind, "message": message}, "request_id": f"req_{number}"}
    group = {401: "invalid_request_error", 404: "invalid_request_error", 429: "requests", 400: "invalid_request_error"}
    return {"error": {"message": message, "type": group.get(status, "server_error"), "param": None, "code": kind}}
