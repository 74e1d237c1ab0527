"""What a model claims is found in the code, or dropped with the reason."""

import pytest

from review.analysis import Dropped
from review.diff import FileDiff, FileStatus
from review.finding import Finding, Location, Side, Suggestion
from review.lines import line_texts
from review.models.answer_schema import Fix, Item
from review.models.ground import NO_QUOTE, NO_SUCH_CODE, OTHER_FILE, UNTOUCHED, ground, slug
from review.models.page import Page
from review.models.shown import show
from tests.builders_models import a_file, an_item, numbered, unblanked

pytestmark = pytest.mark.unit

BASE = """\
def total(items):
    result = 0
    for item in items:
        result += item.price
    return result


def close(file):
    file.flush()
    file.close()
"""
HEAD = BASE.replace("item.price", "item.price / item.count").replace("    file.flush()\n", "")


def page(head: str = HEAD, base: str = BASE, path: str = "app.py") -> Page:
    file = a_file(path, head, base)
    data = head.encode()
    return Page(file, show(file, line_texts(data), unblanked), data)


def found(item: Item, on: Page | None = None) -> Finding:
    result = ground(item, on or page(), "openai")
    assert isinstance(result, Finding), result
    return result


def dropped(item: Item, on: Page | None = None) -> str:
    result = ground(item, on or page(), "openai")
    assert isinstance(result, Dropped), result
    assert result.finding.source == "openai"
    return result.because


def lines(finding: Finding) -> tuple[int, int, Side]:
    place = finding.location
    return place.first_line, place.last_line, place.side


@pytest.mark.parametrize(
    "quote",
    [
        "        result += item.price / item.count",
        "result += item.price / item.count",
        "result+=item.price/item.count",
        "item.price / item.count",
        "+        result += item.price / item.count",
        "```python\n        result += item.price / item.count\n```",
        "\n        result += item.price / item.count\n",
        "-        result += item.price\n+        result += item.price / item.count",
    ],
)
def test_a_line_that_was_miscounted_is_found_by_its_code(quote: str) -> None:
    assert lines(found(an_item(line=90, quote=quote))) == (4, 4, Side.RIGHT)


def test_a_quote_of_several_lines_covers_them_all() -> None:
    quote = "for item in items:\n    result += item.price / item.count\nreturn result"
    assert lines(found(an_item(quote=quote))) == (3, 5, Side.RIGHT)


def test_code_that_was_deleted_is_found_on_the_left_by_its_old_number() -> None:
    assert lines(found(an_item(line=8, quote="    file.flush()"))) == (9, 9, Side.LEFT)


def test_code_that_was_deleted_from_a_renamed_file_has_the_old_path() -> None:
    whole = page(path="new.py")
    renamed = FileDiff("new.py", FileStatus.RENAMED, whole.file.hunks, previous_path="old.py")
    item = an_item("new.py", 8, "    file.flush()")
    assert found(item, Page(renamed, whole.shown, whole.head)).location == Location("old.py", 9, 9, Side.LEFT)


def test_the_line_beside_deleted_code_may_be_spoken_of() -> None:
    assert lines(found(an_item(line=9, quote="    file.close()"))) == (9, 9, Side.RIGHT)


@pytest.mark.parametrize(
    ("item", "because"),
    [
        (an_item(line=4, quote="result -= item.price"), NO_SUCH_CODE),
        (an_item(line=4, quote="result += item.price / item.count\nraise ValueError"), NO_SUCH_CODE),
        (an_item(line=1, quote="def total(items):"), UNTOUCHED),
        (an_item(line=4, quote=""), NO_QUOTE),
        (an_item(line=4, quote="```\n```"), NO_QUOTE),
        (an_item(line=4, quote="count"), NO_SUCH_CODE),
    ],
)
def test_what_does_not_exist_or_was_not_touched_is_dropped_with_the_reason(item: Item, because: str) -> None:
    assert dropped(item) == because


def test_a_file_that_was_not_shown_is_dropped_with_the_reason() -> None:
    result = ground(an_item("other.py", 3, "x"), None, "openai")
    assert isinstance(result, Dropped)
    assert (result.because, result.finding.path) == (OTHER_FILE, "other.py")


REPEATED = numbered(30).replace("line 5\n", "save()\n").replace("line 20\n", "save()\n")


@pytest.mark.parametrize(("claimed", "line"), [(1, 5), (7, 5), (18, 20), (300, 20)])
def test_of_the_same_code_at_two_places_the_nearer_is_meant(claimed: int, line: int) -> None:
    assert lines(found(an_item(line=claimed, quote="save()"), page(REPEATED, numbered(30)))) == (line, line, Side.RIGHT)


def test_code_that_the_change_touches_comes_before_the_same_code_nearby() -> None:
    base = numbered(30).replace("line 5\n", "save()\n")
    assert lines(found(an_item(line=5, quote="save()"), page(REPEATED, base))) == (20, 20, Side.RIGHT)


def a_fix(original: str, replacement: str) -> Fix:
    return Fix(original, replacement)


LINE = "        result += item.price / item.count"


def test_a_fix_becomes_a_suggestion_over_the_lines_that_it_quotes() -> None:
    item = an_item(line=4, quote="item.price / item.count", fix=a_fix(LINE, "        result += item.price"))
    assert found(item).suggestion == Suggestion(4, 4, "        result += item.price")


def test_a_fix_may_cover_more_lines_than_the_finding() -> None:
    original = "    for item in items:\n" + LINE
    item = an_item(line=4, quote=LINE, fix=a_fix(original, "    result = sum(items)\n"))
    assert found(item).suggestion == Suggestion(3, 4, "    result = sum(items)")


def test_an_empty_replacement_deletes_the_lines() -> None:
    assert found(an_item(line=4, quote=LINE, fix=a_fix(LINE, ""))).suggestion == Suggestion(4, 4, "")


def test_a_replacement_gets_the_files_own_line_ends() -> None:
    windows = page(HEAD.replace("\n", "\r\n"), BASE.replace("\n", "\r\n"))
    suggestion = found(an_item(line=4, quote=LINE, fix=a_fix(LINE, "a\nb\n")), windows).suggestion
    assert suggestion == Suggestion(4, 4, "a\r\nb")


@pytest.mark.parametrize(
    "fix",
    [
        a_fix("item.price / item.count", "item.price"),  # a part of a line
        a_fix("        result *= 2", "        result = 2"),  # nowhere
        a_fix("", "x"),
        a_fix(LINE, "a\0b"),
    ],
)
def test_a_fix_whose_lines_are_not_there_leaves_the_finding_without_it(fix: Fix) -> None:
    assert found(an_item(line=4, quote=LINE, fix=fix)).suggestion is None


def test_a_fix_in_another_hunk_than_the_finding_is_left_out() -> None:
    base = numbered(60)
    head = base.replace("line 5\n", "save()\n").replace("line 50\n", "load()\n")
    item = an_item(line=5, quote="save()", fix=a_fix("load()", "x"))
    assert found(item, page(head, base)).suggestion is None


@pytest.mark.parametrize(
    ("claimed", "certain"), [(5, True), (7, True), (12, False), (13, False), (-40, False), (99_999, False)]
)
def test_between_two_places_that_are_about_as_near_nothing_is_suggested(claimed: int, certain: bool) -> None:
    item = an_item(line=claimed, quote="save()", fix=a_fix("save()", "keep()"))
    assert (found(item, page(REPEATED, numbered(30))).suggestion is not None) == certain


def test_a_secret_that_the_model_did_not_see_is_not_overwritten_with_its_blank() -> None:
    head = HEAD + 'KEY = "s3cret"\n'
    file = a_file("app.py", head, BASE)
    blanked = Page(file, show(file, line_texts(head.encode()), lambda text: text.replace("s3cret", "[secret]")), head.encode())
    item = an_item(line=10, quote='KEY = "[secret]"', fix=a_fix('KEY = "[secret]"', 'key = "[secret]"'))
    assert lines(found(item, blanked)) == (10, 10, Side.RIGHT)
    assert found(item, blanked).suggestion is None


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("SQL injection!", "sql-injection"),
        ("", "unnamed"),
        ("§§", "unnamed"),
        ("a" * 60, "a" * 40),
        ("-x_y-", "x-y"),
        ("<!-- -->", "unnamed"),
    ],
)
def test_a_rules_name_is_cleaned(name: str, clean: str) -> None:
    assert slug(name) == clean
    assert found(an_item(line=4, quote=LINE, rule=name)).rule == clean


def test_what_a_model_writes_has_no_characters_that_cannot_be_kept() -> None:
    finding = found(an_item(line=4, quote=LINE, message=" a\0b\u202ec ", confidence=7.0))
    assert (finding.message, finding.confidence) == ("abc", 1.0)


def test_bytes_that_are_not_text_can_be_quoted_as_they_were_shown() -> None:
    head = BASE.encode().replace(b"result = 0", b"result = '\xff'").decode("utf-8", "surrogateescape")
    file = a_file("app.py", head, BASE)
    data = head.encode("utf-8", "surrogateescape")
    latin = Page(file, show(file, line_texts(data), unblanked), data)
    assert lines(found(an_item(line=2, quote="result = '?'"), latin)) == (2, 2, Side.RIGHT)
