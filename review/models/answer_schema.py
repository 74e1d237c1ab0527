"""The form of a model's answer: the JSON schema that it is held to, and the reading of it, item by item."""

from collections.abc import Sequence
from typing import Any

import msgspec

from review.finding import Category, Severity

MOST_ITEMS = 100
"""More findings in one answer are a model that runs on."""


class Fix(msgspec.Struct, frozen=True):
    """A proposed change: whole lines of the head's file as the model quotes them, and what is to stand there."""

    original: str
    replacement: str


class Item(msgspec.Struct, frozen=True):
    """One finding as a model claims it; nothing in it is true before `ground` has looked."""

    path: str
    line: int
    quote: str
    severity: Severity
    category: Category
    rule: str
    message: str
    confidence: float
    context: Any = None
    fix: Fix | None = None

    @property
    def cited(self) -> list[str]:
        """The ids of places that the finding depends on, as far as `context` holds such: nothing in it spoils a finding."""
        return [id.strip() for id in self.context if isinstance(id, str)] if isinstance(self.context, list) else []


class Unreadable(Exception):
    """The answer is not JSON of this form; the text says so in a clause, without quoting it."""


def read_answer(text: str) -> tuple[list[Item], int]:
    """The items that can be read, and how many cannot. A Markdown fence or a sentence around the JSON does no harm.

    Raises Unreadable where there is no list of findings, or one of which nothing can be read.
    """
    try:
        raw = msgspec.json.decode(text[text.find("{") : text.rfind("}") + 1], type=_Answer).findings[:MOST_ITEMS]
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        raise Unreadable("the answer was not the JSON that was asked for") from None
    items = [item for one in raw if (item := _item(one))]
    if raw and not items:
        raise Unreadable("no finding in the answer could be read")
    return items, len(raw) - len(items)


class _Answer(msgspec.Struct):
    findings: list[msgspec.Raw]


def _item(raw: msgspec.Raw) -> Item | None:
    """Numbers written as text are taken for numbers; whatever else does not fit spoils this item only."""
    try:
        item = msgspec.json.decode(raw, type=Item, strict=False)
    except (msgspec.DecodeError, RecursionError):
        return None
    return item if item.message.strip() else None


def _object(**properties: Any) -> dict[str, Any]:
    """All keys required and no others: what strict modes insist on. They know no bounds for numbers and texts."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _one_of(values: Sequence[str]) -> dict[str, Any]:
    return {"type": "string", "enum": [str(value) for value in values]}


TEXT = {"type": "string"}
FIX = _object(original=TEXT, replacement=TEXT)
ANSWER_SCHEMA = _object(
    findings={
        "type": "array",
        "items": _object(
            path=TEXT,
            line={"type": "integer"},
            quote=TEXT,
            severity=_one_of(list(Severity)),
            category=_one_of(list(Category)),
            rule=TEXT,
            message=TEXT,
            confidence={"type": "number"},
            context={"type": "array", "items": TEXT},
            fix={"anyOf": [FIX, {"type": "null"}]},
        ),
    }
)
