"""Identifiers and their parts, in any script, and what files of one subject are called."""

from collections import Counter

import pytest

from review.context.words import LONGEST, names_of, parts, stem, words_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("parseHTTPHeader", ("parse", "http", "header")),
        ("MAX_RETRY_COUNT", ("max", "retry", "count")),
        ("sha256_of_x", ("sha", "of")),
        ("größeÄndern", ("größe", "ändern")),
        ("straße_öffnen", ("straße", "öffnen")),
        ("найтиФайл", ("найти", "файл")),
        ("文件", ("文件",)),
        ("_", ()),
    ],
)
def test_an_identifier_is_cut_where_a_reader_would_cut_it(name: str, expected: tuple[str, ...]) -> None:
    assert parts(name) == expected


def test_words_are_counted_over_all_identifiers_and_data_is_no_identifier() -> None:
    names = names_of(f"getUser(getName) 12 x {'a' * (LONGEST + 1)}")
    assert names == Counter(getUser=1, getName=1)
    assert words_of(names) == Counter(get=2, user=1, name=1)


@pytest.mark.parametrize(
    "path", ["tests/test_url_parser.py", "src/UrlParser.java", "url-parser.spec.ts", "a/url_parser_test.go"]
)
def test_the_files_of_one_subject_have_one_stem(path: str) -> None:
    assert stem(path) == "urlparser"
