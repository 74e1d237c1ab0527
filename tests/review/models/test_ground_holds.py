"""Whatever a model claims of whatever change: what is kept can hang on the diff, and quotes code that is there."""

import random

import pytest

from review.analysis import Dropped
from review.anchor import Anchor, anchor
from review.finding import Finding, Side
from review.lines import line_texts
from review.models.answer_schema import Fix, Item
from review.models.condense import condensed
from review.models.ground import ground
from review.models.page import Page, squeezed
from review.models.shown import show
from tests.builders_models import a_diff, an_item, as_bytes, unblanked

pytestmark = pytest.mark.unit

WORDS = [
    "x = 1",
    "    x = 1",
    "return x",
    "",
    "}",
    "call(first, second)",
    "    call(first, second)",
    "if x:",
    "# words of a comment",
]


def some_text(chance: random.Random, like: list[str] | None = None) -> list[str]:
    """Lines at random, many of them alike; or an altered copy of the lines given."""
    if like is None:
        return [chance.choice(WORDS) for _ in range(chance.randint(1, 60))]
    altered = [chance.choice(WORDS) if chance.random() < 0.1 else line for line in like if chance.random() > 0.1]
    return altered or ["x = 2"]


def a_quote(chance: random.Random, lines: list[str]) -> str:
    start = chance.randrange(len(lines))
    return "\n".join(lines[start : start + chance.randint(1, 4)])


def a_random_claim(chance: random.Random, base: list[str], head: list[str]) -> Item:
    fix = Fix(a_quote(chance, head), a_quote(chance, head))
    return an_item("app.py", chance.randint(-5, 80), a_quote(chance, chance.choice([base, head])), fix=fix)


def check(finding: Finding, base: list[str], head: list[str], page: Page) -> None:
    place = finding.location
    text = base if place.side is Side.LEFT else head
    assert squeezed(finding.quote) in squeezed("".join(text[place.first_line - 1 : place.last_line]))
    suggestion = finding.suggestion
    if suggestion:
        assert any(
            suggestion.first_line in numbers and suggestion.last_line in numbers
            for numbers in (hunk.numbers(Side.RIGHT) for hunk in page.file.hunks)
        )


@pytest.mark.parametrize("seed", range(40))
def test_what_is_kept_hangs_on_the_diff_and_quotes_what_is_there(seed: int) -> None:
    chance = random.Random(seed)
    base = some_text(chance)
    head = some_text(chance, base)
    texts = {"app.py": "\n".join(head) + "\n"}
    diff = a_diff({"app.py": "\n".join(base) + "\n"}, texts)
    if not diff.files:
        return
    data = as_bytes(texts)["app.py"]
    (shown,) = condensed([show(diff.files[0], line_texts(data), unblanked)])
    page = Page(diff.files[0], shown, data)
    for _ in range(50):
        result = ground(a_random_claim(chance, base, head), page, "openai")
        if not isinstance(result, Dropped):
            check(result, base, head, page)
            assert isinstance(anchor(result, diff), Anchor)
