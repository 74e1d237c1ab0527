"""Real Python to review, wherever this runs: functions of the standard library, some of them taken out of the base."""

import ast
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SMALLEST, LARGEST = 120, 2_500
"""Lines of a file that is worth taking."""

FOLDERS = (".", "asyncio", "concurrent/futures", "email", "http", "importlib", "json", "logging", "multiprocessing", "unittest")


@dataclass(frozen=True, slots=True)
class RealChange:
    """The files before and after. `lines` are those that the change adds."""

    base: dict[str, str]
    head: dict[str, str]
    lines: int


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the standard library and its functions, each as its first and last line."""

    path: str
    text: str
    functions: tuple[tuple[int, int], ...]


def a_real_change(lines: int) -> RealChange:
    """A change that adds about so many lines: a quarter in new files, the others as new functions in files that were there."""
    base, head, added = {}, {}, 0
    for source in sources():
        size = source.text.count("\n")
        if added >= lines - 10:
            break
        if size <= lines // 4 - added:
            added += size
        elif taken := _taken(source, lines - added):
            base[source.path] = _without(source.text, taken)
            added += sum(last - first + 1 for first, last in taken)
        else:
            continue
        head[source.path] = source.text
    return RealChange(base, head, added)


@cache
def sources() -> tuple[Source, ...]:
    """The standard library's files that are neither tiny nor huge, always in the same order."""
    return tuple(_sources())


def _sources() -> Iterator[Source]:
    library = Path(sysconfig.get_path("stdlib"))
    for folder in FOLDERS:
        for path in sorted((library / folder).glob("*.py")):
            text = path.read_bytes().decode(errors="replace")
            if SMALLEST <= text.count("\n") <= LARGEST:
                yield Source(f"lib/{path.relative_to(library).as_posix()}", text, tuple(_functions(text)))


def _functions(text: str) -> Iterator[tuple[int, int]]:
    """Every third function or method: what is left parses, for no body is ever emptied."""
    functions = [
        node
        for parent in ast.walk(ast.parse(text))
        if isinstance(parent, ast.Module | ast.ClassDef) and len(parent.body) > 2
        for node in parent.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    for node in sorted(functions, key=lambda node: node.lineno)[::3]:
        yield min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]), node.end_lineno or node.lineno


def _taken(source: Source, most: int) -> list[tuple[int, int]]:
    taken, size = [], 0
    for first, last in source.functions:
        if size + last - first + 1 <= most:
            taken.append((first, last))
            size += last - first + 1
    return taken


def _without(text: str, functions: Sequence[tuple[int, int]]) -> str:
    gone = {number for first, last in functions for number in range(first, last + 1)}
    return "".join(line for number, line in enumerate(text.splitlines(keepends=True), 1) if number not in gone)
