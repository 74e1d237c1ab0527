"""Which files the index holds: source and build files, not lock files, vendored or generated code, prose or data."""

import re

from review.context.languages import language_of
from review.context.tree import LARGEST_FILE
from review.paths import why_ignored

MAX_LINE = 20_000
"""Bytes of a line; code with longer ones was written by a machine, to be read by one."""
TEST = re.compile(
    r"(^|/)(tests?|specs?|__tests__|__mocks__|testing|testdata|test-data|testsuite|e2e|cypress|fixtures|androidTest|\w+Tests?)/"
    r"|(^|/)(test_[^/]+|tests?|conftest|spec_helper|test_helper)\.\w+$"
    r"|[^/](_test|_tests|_spec|-test|-spec|\.test|\.spec|\.cy|\.e2e)\.\w+$"
    r"|[a-z0-9](Test|Tests|TestCase|Spec|Specs|IT)\.(java|kt|kts|scala|groovy|cs|fs|vb|swift|php|m|mm|cpp|cc|hs|dart)$"
)


def why_not_indexed(path: str, data: bytes | None = None) -> str:
    """Why the index does not hold this file, by its name and its contents where they are given; empty where it does."""
    because = why_ignored(path)
    if because:
        return because
    if not language_of(path):
        return "not source code"
    return "" if data is None else _why_unreadable(data)


def is_test(path: str) -> bool:
    """Whether a file is a test or belongs to tests, by the conventions of its name and its folders."""
    return TEST.search(path) is not None


def _why_unreadable(data: bytes) -> str:
    if len(data) > LARGEST_FILE:
        return f"larger than {LARGEST_FILE:,} bytes"
    if b"\0" in data:
        return "binary"
    if max(map(len, data.split(b"\n"))) > MAX_LINE:
        return "minified"
    return ""
