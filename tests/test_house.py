"""The house rules that no other tool checks: sizes, first lines, marks, and what the top level holds."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parent.parent
ROOMS = ("bot", "handlers", "review", "storage")
MOST_LINES = 300
MOST_FUNCTION_LINES = 40
TOP_LEVEL = {"bot", "handlers", "review", "storage", "tests", "docs", ".ci"} | {
    "app.yml", "Procfile", "fly.toml", "pyproject.toml", "README.md", "Makefile", "Dockerfile", "requirements.lock",
    "requirements-run.lock",
    "LICENSE", "CHANGELOG.md", ".env.example", ".gitignore", ".dockerignore",
}  # fmt: skip


def python_files(*folders: str) -> Iterator[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *folders], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.split("\n"):
        path = ROOT / name
        if name.endswith(".py") and path.is_file() and "tests/data" not in name:
            yield path


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def caught(handler: ast.ExceptHandler) -> set[str]:
    if handler.type is None:
        return {"BaseException"}
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return {t.id for t in types if isinstance(t, ast.Name)}


def test_every_file_says_in_its_first_line_what_it_is_for() -> None:
    silent = [str(p.relative_to(ROOT)) for p in python_files() if not p.read_text().startswith('"""')]
    assert silent == []


def test_no_file_is_too_long_to_read_at_a_sitting() -> None:
    long = {str(p.relative_to(ROOT)): n for p in python_files() if (n := len(p.read_text().splitlines())) > MOST_LINES}
    assert long == {}


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{p.relative_to(ROOT)}:{f.lineno} {f.name}"
        for p in python_files()
        for f in functions(p)
        if (f.end_lineno or 0) - f.lineno + 1 > MOST_FUNCTION_LINES
    ]
    assert long == []


def test_every_public_function_and_class_has_a_docstring() -> None:
    silent = []
    for path in python_files(*ROOMS):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                public = not node.name.startswith("_")
                if public and ast.get_docstring(node) is None and not isinstance(node, ast.ClassDef):
                    silent.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
    assert silent == []


def test_every_test_module_carries_one_of_the_marks() -> None:
    unmarked = [
        str(p.relative_to(ROOT))
        for p in python_files("tests")
        if p.name.startswith("test_")
        and not re.search(r"^pytestmark = \[?pytest\.mark\.", p.read_text(), re.MULTILINE)
        and "@pytest.mark." not in p.read_text()
    ]
    assert unmarked == []


def test_only_the_settings_and_the_migrations_read_the_environment() -> None:
    allowed = {"bot/settings.py", "storage/migrations/env.py"}
    readers = {
        str(p.relative_to(ROOT))
        for p in python_files("handlers", "review", "storage")
        if "os.environ" in p.read_text() or "os.getenv" in p.read_text()
    }
    assert readers <= allowed


def test_exceptions_are_swallowed_whole_only_by_the_worker_and_the_middleware() -> None:
    allowed = {"bot/worker.py", "handlers/middleware.py"}
    broad = {
        str(path.relative_to(ROOT))
        for path in python_files(*ROOMS)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler) and caught(node) & {"Exception", "BaseException"}
    }
    assert broad <= allowed


def test_the_top_level_holds_what_was_agreed_and_nothing_else() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert {name.split("/")[0] for name in listed} <= TOP_LEVEL


def test_the_image_installs_what_was_tested_and_no_test_tool() -> None:
    tested, shipped = (locked(name) for name in ("requirements.lock", "requirements-run.lock"))
    assert shipped.items() <= tested.items()
    assert {"pytest", "mypy", "hypothesis"} <= tested.keys() - shipped.keys()


def locked(name: str) -> dict[str, str]:
    """By package, its version and hashes in that lock file; its marker may be narrower where fewer packages ask for it."""
    entries = re.split(r"\n(?=\w)", (ROOT / name).read_text().strip())
    return {entry.partition("==")[0]: re.sub(r" ; .*", " \\\\", entry, count=1) for entry in entries}
