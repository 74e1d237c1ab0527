"""Which files the index holds, and which of them are tests."""

import pytest

from review.context.source_files import MAX_LINE, is_test, why_not_indexed
from review.context.tree import LARGEST_FILE

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("path", "because"),
    [
        ("bot/a.py", ""),
        ("Dockerfile", ""),
        ("a/templates/page.html", ""),
        (".github/workflows/ci.yml", ""),
        ("package.json", ""),
        ("package-lock.json", "lock file"),
        ("vendor/github.com/a/b.go", "vendored"),
        ("node_modules/a/index.js", "vendored"),
        ("a/api_pb2.py", "generated"),
        ("app.min.js", "generated"),
        ("README.md", "not source code"),
        ("CHANGELOG.rst", "not source code"),
        ("data.json", "not source code"),
        ("table.csv", "not source code"),
        ("logo.png", "not source code"),
    ],
)
def test_source_is_indexed_and_the_rest_says_why_not(path: str, because: str) -> None:
    assert why_not_indexed(path) == because


@pytest.mark.parametrize(
    ("data", "because"),
    [
        (b"x = 1\n", ""),
        (b"", ""),
        (b"\xff\xfe\xfa\n", ""),
        (b"x = 1\0\n", "binary"),
        (b"a" * (MAX_LINE + 1), "minified"),
        (b"a\n" * (LARGEST_FILE // 2 + 1), f"larger than {LARGEST_FILE:,} bytes"),
    ],
)
def test_contents_can_keep_a_file_out(data: bytes, because: str) -> None:
    assert why_not_indexed("a.py", data) == because


@pytest.mark.parametrize(
    "path",
    """tests/a.py test/b.js pkg/a_test.go src/a.test.ts src/a.spec.tsx spec/models/user_spec.rb src/test/java/a/FooTest.java
    a/FooTests.cs Tests/AppTests/App.swift a/__tests__/b.js conftest.py pkg/test_a.py cypress/e2e/login.cy.ts a/b_spec.lua
    app/src/androidTest/a/B.kt tests.py""".split(),  # noqa: SIM905  (a list of paths reads worse)
)
def test_tests_are_known_by_their_names(path: str) -> None:
    assert is_test(path)


@pytest.mark.parametrize(
    "path",
    ["src/latest.py", "contest/a.py", "a/attestation.go", "src/Fastest.java", "protest.js", "bot/testable.py", "Unit.cs"],
)
def test_other_files_are_not_tests(path: str) -> None:
    assert not is_test(path)
