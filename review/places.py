"""What a path says about a file: whether it is a test, an example or documentation, where made-up values are the rule."""

import re

TEST = re.compile(
    r"(^|/)(tests?|t|testing|specs?|__tests__|fixtures?|testdata|test_data|mocks?|e2e)/|(^|/)(test_[^/]*|conftest|tests?)\.py$"
    r"|(_tests?|\.test|[._]spec|Tests?)\.\w+$"
)
DATA = re.compile(
    r"(?!.*(?:^|/)(?:test_[^/]*|conftest)\.py$)"
    r".*(?:(?:^|/)(?:tests?|t|testing|specs?|__tests__)/(?:.*/)?(?:[^/]*data|fixtures?|cases|resources|snapshots?|samples?)/|testdata/)"
)
EXAMPLE = re.compile(
    r"(^|/)(docs?(_src)?|documentation|examples?|samples?|demos?|tutorials?|templates?)/|(^|/)(readme|changelog|changes|history)\b"
    r"|\.(md|rst|adoc|txt|example|sample|template|tmpl|dist)$",
    re.IGNORECASE,
)


def is_test(path: str) -> bool:
    """Whether the file is a test or something that only tests read."""
    return TEST.search(path) is not None


def is_test_data(path: str) -> bool:
    """Whether the file is one that tests read but do not run, such as the broken programs that a formatter is tried on."""
    return DATA.match(path) is not None


def is_example(path: str) -> bool:
    """Whether the file is documentation, an example or a template."""
    return EXAMPLE.search(path) is not None
