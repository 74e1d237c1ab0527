"""Parsing for the index: chunks that hold every line once, names with their places, and a bearable answer to any bytes."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review.context.chunk import Kind, ParsedFile
from review.context.languages import language_of, languages
from review.context.parse import DEEPEST, MAX_TREE_BYTES, MAX_TREE_LINE, MOST_NAMES, parse
from review.context.tree import LARGEST_FILE

pytestmark = pytest.mark.unit

SOURCES = [path for path in (Path(__file__).parents[2] / "data" / "languages").iterdir() if path.suffix != ".chunks"]
ENDINGS = sorted({path.suffix for path in SOURCES} | {".sql", ".h", ".yml", ".unknown"})
TOKENS = [
    *"\n\r\f\0\u2028\u00e9\U0001f600{}()[]<>:;,.=#'\"`/*@$! \t",
    *("\n    ", "class A", "def f", "function f", "fn f", "func f", "end", "struct S", "/*", "*/", "//", "=>"),
    *("@a", "#[a]", "impl A", "namespace n", "template<T>", "x = 1"),
]


def test_definitions_are_found_by_name_with_their_chunk_and_line() -> None:
    parsed = parse(
        "a.py",
        b"import os\nMOST = 1\n\n\nclass Box:\n\n    def get(self):\n        def inner(): ...\n        return 3\n",
    )
    assert [(each.name, each.chunk, each.line) for each in parsed.definitions] == [("MOST", 0, 2), ("Box", 1, 5), ("get", 2, 7)]


def test_references_and_words_are_those_of_the_whole_text() -> None:
    parsed = parse("a.go", b"package a\n\nfunc openFile(x int) { http.ListenAll(x, openFile) }\n")
    assert {"openFile", "http", "ListenAll"} <= parsed.references
    assert parsed.words["open"] == 2
    assert parsed.words["listen"] == 1
    assert parsed.length == sum(parsed.words.values())


def test_a_long_function_is_cut_into_several_chunks_of_one_symbol() -> None:
    parsed = parse("a.py", b"def f():\n" + b"    x = 1\n" * 199 + b"\n" + b"    y = 2\n" * 250)
    assert [(chunk.kind, chunk.symbol) for chunk in parsed.chunks] == [(Kind.FUNCTION, "f")] * 3
    assert all(chunk.last_line - chunk.first_line < 200 for chunk in parsed.chunks)
    assert whole(parsed) == 450


def test_what_stands_outside_of_definitions_is_cut_at_empty_lines() -> None:
    parsed = parse("a.py", b"a = 1\n" * 50 + b"\n\n" + b"b = 2\n" * 60)
    assert [(chunk.first_line, chunk.last_line) for chunk in parsed.chunks] == [(1, 50), (53, 112)]


def test_a_syntax_error_costs_only_what_is_around_it() -> None:
    parsed = parse("a.py", b"def before():\n    return 1\n\n\ndef broken(:\n    return (\n\n\ndef after():\n    return 2\n")
    assert "before" in {chunk.symbol for chunk in parsed.chunks}
    assert whole(parsed) == 6


@pytest.mark.parametrize("data", [b"", b"\n\n\n", b"  \n\t\r\n\f"])
def test_a_file_of_nothing_has_no_chunks(data: bytes) -> None:
    assert parse("a.py", data).chunks == ()


def test_a_file_of_comments_is_one_module_chunk() -> None:
    assert [chunk.kind for chunk in parse("a.js", b"// one\n\n// two\n").chunks] == [Kind.MODULE]


@pytest.mark.parametrize(
    ("data", "because"),
    [
        (b"one = 1\n" * (MAX_TREE_BYTES // 8 + 1), f"larger than {MAX_TREE_BYTES:,} bytes"),
        (b"one = 1\ny = '" + b"a" * MAX_TREE_LINE + b"'\n", f"has a line longer than {MAX_TREE_LINE:,} bytes"),
        (b"one = " + b"[" * (DEEPEST + 1) + b"\n", f"nested deeper than {DEEPEST} brackets"),
    ],
)
def test_what_is_too_much_for_the_parser_is_cut_by_lines_and_says_why(data: bytes, because: str) -> None:
    parsed = parse("a.py", data)
    assert parsed.note == because
    assert {chunk.kind for chunk in parsed.chunks} == {Kind.LINES}
    assert parsed.references


def test_of_a_file_that_is_too_large_nothing_is_kept() -> None:
    started = time.process_time()
    parsed = parse("a.js", b"x" * 50_000_000)
    assert (parsed.chunks, parsed.note) == ((), f"larger than {LARGEST_FILE:,} bytes")
    assert time.process_time() - started < 0.5


def test_a_language_without_grammar_is_cut_by_lines_without_a_note() -> None:
    parsed = parse("a.sql", b"select 1;\n")
    assert ([chunk.kind for chunk in parsed.chunks], parsed.note) == ([Kind.LINES], "")


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.suffix[1:])
def test_carriage_returns_and_odd_separators_do_not_shift_lines(source: Path) -> None:
    data = source.read_bytes()
    plain = parse(source.name, data)
    windows = parse(source.name, data.replace(b"\n", b"\r\n"))
    assert [places(plain), plain.definitions] == [places(windows), windows.definitions]
    odd = parse(source.name, "// a\u2028b\x85c\x0cd\n".encode() + data) if source.suffix in (".go", ".rs", ".java") else plain
    assert len(odd.chunks) >= len(plain.chunks)


@settings(max_examples=200, deadline=None)
@given(
    ending=st.sampled_from(ENDINGS),
    data=st.binary(max_size=400) | st.lists(st.sampled_from(TOKENS)).map(lambda t: "".join(t).encode()),
)
def test_any_bytes_are_cut_so_that_each_line_is_held_once(ending: str, data: bytes) -> None:
    holds_each_line_once(parse(f"a{ending}", data), data)


@settings(max_examples=200, deadline=None)
@given(
    source=st.sampled_from(SOURCES),
    cut=st.tuples(st.integers(0, 500), st.integers(0, 60)),
    put=st.lists(st.sampled_from(TOKENS), max_size=4),
)
def test_any_damage_to_a_source_leaves_each_line_held_once(source: Path, cut: tuple[int, int], put: list[str]) -> None:
    data = source.read_bytes()
    damaged = data[: cut[0]] + "".join(put).encode() + data[cut[0] + cut[1] :]
    holds_each_line_once(parse(source.name, damaged), damaged)


def test_every_node_of_every_language_is_known_to_its_grammar() -> None:
    for language in languages().values():
        if language.kinds:
            assert parse_of(language.name).note == "", language.name


def test_a_file_is_known_by_its_longest_ending_or_its_name() -> None:
    named = {
        "a/b.PY": "python", "a.d.ts": "typescript", "x.blade.php": "template", "Gemfile": "ruby",
        "Dockerfile.dev": "dockerfile", "docker/Dockerfile.py": "python", "CMakeLists.txt": "cmake", "README": "",
    }  # fmt: skip
    assert {path: language_of(path) for path in named} == named


def parse_of(language: str) -> ParsedFile:
    """A parse that makes ast-grep read all rules of a language: it raises for a kind that the grammar does not have."""
    by_language = {language_of(path.name): path for path in SOURCES}
    source = by_language[language]
    return parse(source.name, source.read_bytes())


def places(parsed: ParsedFile) -> list[tuple[str, str, int, int, str, str]]:
    return [(c.kind, c.symbol, c.first_line, c.last_line, c.signature, c.doc) for c in parsed.chunks]


def whole(parsed: ParsedFile) -> int:
    """How many lines that are not empty the chunks hold."""
    return sum(len([line for line in chunk.text.split("\n") if line.strip()]) for chunk in parsed.chunks)


def holds_each_line_once(parsed: ParsedFile, data: bytes) -> None:
    lines = data.decode("utf-8", "replace").replace("\0", "\ufffd").split("\n")
    held: list[int] = []
    for chunk in parsed.chunks:
        assert chunk.text == "\n".join(lines[chunk.first_line - 1 : chunk.last_line])
        held.extend(range(chunk.first_line, chunk.last_line + 1))
    assert held == sorted(set(held))
    assert {number for number, line in enumerate(lines, 1) if line.strip()} <= set(held)
    for each in parsed.definitions:
        assert parsed.chunks[each.chunk].first_line <= each.line <= parsed.chunks[each.chunk].last_line
        assert each.name in lines[each.line - 1]
        assert each.name in parsed.references or "$" in each.name


def test_of_a_file_full_of_made_up_names_the_most_frequent_are_kept() -> None:
    parsed = parse("a.py", b"often often often\n" + b"".join(b"n%d\n" % number for number in range(MOST_NAMES + 10)))
    assert len(parsed.references) == MOST_NAMES
    assert "often" in parsed.references
