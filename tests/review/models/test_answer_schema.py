"""A model's answer is read item by item, and its schema is one that both providers take."""

import json

import jsonschema
import pytest

from review.finding import Category, Severity
from review.models.answer_schema import ANSWER_SCHEMA, Item, Unreadable, read_answer
from tests.builders_models import a_claim
from tests.sandbox.model_schemas import check_anthropic_schema, openai_schema

pytestmark = pytest.mark.unit

GOOD = a_claim(quote="x = 1", fix={"original": "x = 1", "replacement": "x = 2"})


def read(*items: object) -> tuple[list[Item], int]:
    return read_answer(json.dumps({"findings": items}))


def test_both_providers_strict_modes_take_the_schema() -> None:
    openai_schema({"name": "review", "schema": ANSWER_SCHEMA, "strict": True}, "response_format")
    check_anthropic_schema(ANSWER_SCHEMA)
    jsonschema.validate({"findings": [GOOD, a_claim()]}, ANSWER_SCHEMA)


def test_the_schema_and_the_reading_name_the_same_fields() -> None:
    assert tuple(ANSWER_SCHEMA["properties"]["findings"]["items"]["required"]) == Item.__struct_fields__


def test_what_a_model_claims_is_read() -> None:
    (item,), unreadable = read(GOOD)
    assert (item.severity, item.category, item.fix and item.fix.replacement) == (Severity.HIGH, Category.CORRECTNESS, "x = 2")
    assert unreadable == 0


BAD = [
    {},
    [],
    None,
    "finding",
    a_claim(severity="catastrophic"),
    a_claim(line="one"),
    a_claim(message=" "),
    a_claim(fix="x = 2"),
    a_claim(path=None),
    {"path": "a.py"},
]


@pytest.mark.parametrize("bad", BAD)
def test_one_bad_item_does_not_lose_the_rest(bad: object) -> None:
    items, unreadable = read(GOOD, bad, GOOD)
    assert (len(items), unreadable) == (2, 1)


@pytest.mark.parametrize(
    ("context", "cited"),
    [(["C1", " C2 "], ["C1", "C2"]), ([], []), (None, []), ("C1", []), ([1, None, "C3"], ["C3"]), ({"C1": 1}, [])],
)
def test_whatever_stands_in_context_spoils_no_finding(context: object, cited: list[str]) -> None:
    (item,), unreadable = read(a_claim(context=context))
    assert (item.cited, unreadable) == (cited, 0)


def test_what_means_the_same_is_accepted() -> None:
    (item,), _ = read(a_claim(line="12", confidence="0.5", extra=True) | {"fix": None})
    assert (item.line, item.confidence) == (12, 0.5)
    without = a_claim()
    del without["fix"]
    assert read(without)[0][0].fix is None


@pytest.mark.parametrize("text", ["```json\n%s\n```", "Here is my review:\n%s", "\ufeff%s\n\n", "%s"])
def test_a_fence_or_a_sentence_around_the_json_does_no_harm(text: str) -> None:
    assert len(read_answer(text % json.dumps({"findings": [GOOD]}))[0]) == 1


def test_nothing_found_is_an_answer() -> None:
    assert read_answer('{"findings": []}') == ([], 0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Looks good to me!",
        "{}",
        "[]",
        '{"findings": null}',
        '{"findings": {"a": 1}}',
        '{"findings": [',
        '{"findings": [}',
        '{"findings": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"findings": [1, 2]}',
        '{"findings": [{"path": "\ud800"}]}',
    ],
)
def test_what_holds_no_readable_finding_is_no_clean_review(text: str) -> None:
    with pytest.raises(Unreadable):
        read_answer(text)


def test_a_model_that_runs_on_is_cut_off() -> None:
    assert len(read(*[GOOD] * 500)[0]) == 100
