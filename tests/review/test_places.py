"""Places: which paths hold tests, examples or documentation."""

import pytest

from review.places import is_example, is_test, is_test_data

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "path",
    [
        "tests/test_app.py", "test/app.rb", "src/__tests__/a.tsx", "pkg/store_test.go", "src/app.test.ts", "spec/user_spec.rb",
        "conftest.py", "a/b/fixtures/key.pem", "src/UserServiceTest.java", "testdata/x",
    ],
)  # fmt: skip
def test_tests_are_told_by_their_path(path: str) -> None:
    assert is_test(path)


@pytest.mark.parametrize("path", ["src/contest.py", "latest/app.py", "src/attestation.go", "protest.py", "app/testimony.py"])
def test_a_word_that_contains_test_is_no_test(path: str) -> None:
    assert not is_test(path)


@pytest.mark.parametrize(
    "path", ["docs/a.py", "README.md", "examples/run.py", ".env.example", "CHANGELOG.rst", "a/config.yml.dist"]
)
def test_documentation_and_examples_are_told_by_their_path(path: str) -> None:
    assert is_example(path)


@pytest.mark.parametrize("path", ["src/app.py", "docstore/app.py", "sampler/core.py", "config.yml"])
def test_ordinary_code_is_no_example(path: str) -> None:
    assert not is_example(path)


@pytest.mark.parametrize(
    "path", ["tests/data/cases/a.py", "tests/fixtures/broken.py", "t/unit/test_data/x.py", "pkg/testdata/a.py"]
)
def test_what_tests_read_is_told_from_what_they_run(path: str) -> None:
    assert is_test_data(path)


@pytest.mark.parametrize(
    "path", ["tests/test_a.py", "tests/cases/test_a.py", "src/data/a.py", "tests/data/conftest.py", "data/a.py"]
)
def test_code_is_no_test_data(path: str) -> None:
    assert not is_test_data(path)
