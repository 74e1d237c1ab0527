"""Whether a file still parses: told where it can be told, quickly, and without believing that silence is consent."""

import warnings
from time import perf_counter

import pytest

from review.suggestions.syntax import language_of, problems, same_meaning, why_worse

pytestmark = pytest.mark.unit

WORSE, NOT_MENDED = "the file would no longer parse", "the file does not parse as it is, and this would not mend it"

RIGHT_AND_WRONG = [
    ("a.py", "def f():\n    return 1\n", "def f():\nreturn 1\n"),
    ("a.py", "async def f():\n    await g()\n", "def f():\n    await g()\n"),
    ("a.py", "x = 1\n", "return 1\n"),
    ("a.pyi", "def f() -> int: ...\n", "def f() -> int: .\n"),
    ("a.json", '{"a": [1, 2.5, "x"]}', '{"a": [1, 2.5, "x",]}'),
    ("a.json", "[1]", "[1] [2]"),
    ("a.yml", "a: &x [1]\nb: *x\n", "a: [1]\nb: *x\n"),
    ("a.yaml", "a:\n  b: 1\n", "a:\n  b: 1\n c: 2\n"),
    ("pyproject.toml", "[a]\nb = 1\n", "[a]\nb = 1\nb = 2\n"),
    ("Pipfile", "a = 1\n", "a = \n"),
    ("tsconfig.json", '{\n  // fine\n  "a": 1\n}\n', '{ // fine\n "a": }\n'),
    ("a.js", "const f = async (x) => ({...x});\n", "const f = async (x) => ({...x};\n"),
    ("a.jsx", "const a = <b c={1}>d</b>;\n", "const a = <b c={1}>d</c;\n"),
    ("a.ts", "type A<T> = T extends string ? 1 : 2;\n", "type A<T> = T extends ? 1 : 2;\n"),
    ("a.tsx", "const a = <B<string> c={1} />;\n", "const a = <B<string> c={1} /\n"),
    ("A.java", "class A { int b() { return 1; } }\n", "class A { int b() { return 1 } }\n"),
    ("a.go", "package a\nfunc b() int { return 1 }\n", "package a\nfunc b() int { return 1 \n"),
    ("a.rs", "fn a() -> u8 { 1 }\n", "fn a() -> u8 { 1 \n"),
    ("a.c", "int a(void) { return 1; }\n", "int a(void) { return 1; \n"),
    ("a.cpp", "template <class T> T a(T b) { return b; }\n", "template <class T> T a(T b { return b; }\n"),
    ("A.cs", "class A { int B => 1; }\n", "class A { int B => 1 }\n"),
    ("a.rb", "def a\n  1\nend\n", "def a\n  1\n"),
    ("a.php", "<?php\nfunction a() { return 1; }\n", "<?php\nfunction a( { return 1; }\n"),
    ("a.kt", "fun a(): Int = 1\n", "fun a(: Int = 1\n"),
    ("a.swift", "func a() -> Int { 1 }\n", "func a( -> Int { 1 }\n"),
    ("a.scala", "object A { def b = 1 }\n", "object A { def b = 1 \n"),
    ("a.lua", "local a = { 1, 2 }\n", "local a = { 1, 2\n"),
    ("a.ex", "def a do\n  1\nend\n", "def a do\n  1\n"),
    ("a.sh", "if a; then\n  b\nfi\n", "if a; then\n  b\n"),
    ("a.css", "a { b: c; }\n", "a { b: c; \n"),
    ("a.html", "<p><b>a</b></p>\n", "<p><b>a</b></p\n"),
    ("a.tf", 'a "b" {\n  c = 1\n}\n', 'a "b" {\n  c = 1\n'),
]  # fmt: skip


def parses(path: str, data: bytes) -> bool | None:
    """Whether it does; None when nobody can tell."""
    count = problems(path, data)
    return None if count is None else count == 0


@pytest.mark.parametrize(("path", "right", "wrong"), RIGHT_AND_WRONG)
def test_every_known_language_is_told_right_from_wrong(path: str, right: str, wrong: str) -> None:
    assert parses(path, right.encode()) is True
    assert parses(path, wrong.encode()) is False
    assert why_worse(path, right.encode(), wrong.encode()) == WORSE
    assert why_worse(path, wrong.encode(), right.encode()) == ""


def test_what_nobody_here_knows_is_not_judged() -> None:
    for path in ("a.txt", "Makefile", "a.unknown", "py", "dir.py/file", "a.vue"):
        assert language_of(path) is None
        assert parses(path, b"(((") is None
        assert why_worse(path, b"a", b"(((") == ""


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a/b.PY", "python"),
        ("Gemfile", "tree:ruby"),
        (".vscode/settings.json", "tree:json"),
        ("Cargo.lock", "toml"),
        ("x.d.ts", "tree:typescript"),
    ],
)
def test_a_language_is_known_by_the_files_name(path: str, language: str) -> None:
    assert language_of(path) == language


def test_a_broken_file_may_only_be_mended_where_the_language_is_certain() -> None:
    assert why_worse("a.py", b"x = (\n", b"y = (\n") == NOT_MENDED
    assert why_worse("a.py", b"x = (\n", b"x = ()\n") == ""
    assert why_worse("a.go", b"package a\nvar b = (\nfunc c() { } }\n", b"package a\nvar d = (\nfunc c() { } }\n") == ""


def test_a_template_that_is_full_of_errors_is_not_judged() -> None:
    template = "".join(f"{{% for a in b{n} %}} ) {{{{ ( }}}}\n" for n in range(60))
    assert (problems("a.js", template.encode()) or 0) > 50
    assert why_worse("a.js", template.encode(), (template + "(((").encode()) == ""


def test_what_is_too_large_or_deep_is_not_judged_but_a_suggestion_may_not_make_it_so() -> None:
    assert parses("a.py", b"x = 1\n" * 200_000) is None
    assert parses("a.py", b"x = '" + b"a" * 30_000 + b"'\n") is None
    assert parses("a.json", b"[" * 100_000) is None
    assert parses("a.yml", b"[" * 200 + b"]" * 200) is None
    assert parses("a.html", b"<b>" * 40_000) is None
    assert why_worse("a.py", b"x = 1\n", b"x = '" + b"a" * 30_000 + b"'\n") == WORSE


def test_odd_bytes_are_errors_not_crashes() -> None:
    for path in ("a.py", "a.json", "a.yml", "a.toml"):
        assert parses(path, b"a: \xff\xfe\n") is False
        assert parses(path, b"\0") is False
    assert parses("a.js", b"a = '\xff'\n") is not None
    assert parses("a.js", b"") is True


def test_parsing_says_nothing_to_the_outside() -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert parses("a.py", b"x = '\\d' is 1\n") is True
        assert same_meaning("a.py", b"x = '\\d'\n", b"x = ('\\d')\n") is True
        assert why_worse("a.py", b"x = '\\d'\ny = 1\n", b"x = '\\w'\ny = 1\n") == ""
    assert said == []


@pytest.mark.parametrize(
    ("path", "one", "other", "same"),
    [
        ("a.py", "x = f(1,\n      2)\n", "x = f(1, 2)\n", True),
        ("a.py", "if a:\n    b\n    c\n", "if a:\n    b\nc\n", False),
        ("a.yml", "a:\n  b: 1\n", "a:\n    b: 1\n", True),
        ("a.yml", "a:\n  b: 1\n", "a: 1\nb: 1\n", False),
        ("a.py", "x = (\n", "x = (\n", None),
        ("a.js", "a\n", "a\n", None),
        ("a.unknown", "a\n", "a\n", None),
    ],
)
def test_two_layouts_are_told_from_two_meanings(path: str, one: str, other: str, same: bool | None) -> None:
    assert same_meaning(path, one.encode(), other.encode()) is same


def test_a_hundred_edits_of_a_large_file_are_judged_at_once() -> None:
    functions = [f"def f{n}(a):\n    b = a + {n}\n    return b\n\n\n" for n in range(2_000)]
    before = "".join(functions).encode()
    started = perf_counter()
    for n in range(0, 2_000, 20):
        assert why_worse("a.py", before, before.replace(b"a + %d\n" % n, b"a - %d\n" % n)) == ""
    assert perf_counter() - started < 2
    assert why_worse("a.py", before, before.replace(b"a + 7\n", b"a + (7\n")) == WORSE


def test_a_file_that_costs_its_parser_gigabytes_cannot_be_told_and_does_no_harm() -> None:
    assert problems("A.java", ("a<" * 50 + "\n").encode() * 300) is None
    assert problems("A.java", b"class A { int b() { return 1; } }\n") == 0
