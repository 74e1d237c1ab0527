"""What the number of a ruff rule alone does not tell: forms of it that are hardly ever a mistake."""

import re
from collections.abc import Sequence

REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069]")
PACKAGE = re.compile(r"(^|/)__init__\.pyi$")
REDEFINED = re.compile(r"Redefinition of unused `(\w+)`")
SURE_TO_FAIL = re.compile(r"return\s+(?:self\b|True\b|False\b|[\d'\"\[{])")
ZERO_MODE = re.compile(r"\b0+\b")
OTHER_MODE = re.compile(r"\b[1-9]\d{2,}\b")
DEFAULT_OF = re.compile(r"(\w+)\s*(?::.*)?=\s*$")
DEFINED = re.compile(r"\s*(?:async\s+)?(?:def|class)\s")
ALTERING = (
    r"\b{name}\s*\.\s*(?:append|extend|insert|add|update|setdefault|pop|popitem|remove|discard|clear|sort|reverse)\b"
    r"|\b{name}\s*\[[^\]]*\]\s*[-+*/|&^%@]*=(?!=)|\bdel\s+{name}\s*\[|\b{name}\s*[-+*/|&^%@]+="
    r"|(?:return|yield|=)\s*{name}\s*(?:$|[#,)])"
)
OFFERING = re.compile(r"(^|/)(conftest\.py$|_?compat(ibility)?(/|[^/]*\.py$))|[^/]_compat\.py$")
IMPORT = re.compile(r"\s*(?:from|import)\s")
MARKED = re.compile(r"#\s*(?:noqa\b(?!\s*:(?!.*\bF401\b))|pylint:.*unused-import|pyright:.*reportUnusedImport)", re.IGNORECASE)
LONGEST_IMPORT = 60
LONGEST_FUNCTION = 200
"""Lines after a default that are searched for what becomes of it."""


def is_harmless(rule: str, message: str, path: str, lines: Sequence[str], row: int, column: int) -> bool:
    """Whether this finding is one of those. `lines` are the file's; `row` (of `lines`) and `column` count from 1."""
    line = lines[row - 1]
    match rule:
        case "F401":  # a package's `__init__` offers what it imports; in a `try` the import itself may be the question
            return "__init__.py" in path or "find_spec" in message or _is_offered(path, lines, row)
        case "F811":  # an import or a variable in another branch, not a function that is lost
            redefined = REDEFINED.match(message)
            return not (redefined and re.match(rf"\s*(?:(?:async\s+)?def|class)\s+{redefined[1]}\b", line))
        case "F822":  # a package's `__all__` may name its modules: ruff knows that of .py files only
            return PACKAGE.search(path) is not None
        case "T100":  # importing a debugger stops nothing; calling it does
            return message.startswith("Import")
        case "PLE0101":  # a call returns None more often than not, above all that of another `__init__`
            return not SURE_TO_FAIL.search(line)
        case "PLE2502":  # marks of direction belong into right-to-left text; overrides and isolates reorder code
            return not REORDERING.search(line)
        case "RUF064":  # zero is zero in every base
            return bool(ZERO_MODE.search(line)) and not OTHER_MODE.search(line)
        case "B006":
            return _is_only_read(lines, row, column)
    return False


def _is_offered(path: str, lines: Sequence[str], row: int) -> bool:
    """Whether the import stands for others to use: in a module of such, fixtures among them, or marked so by its author."""
    start = next((i for i in range(row - 1, max(row - LONGEST_IMPORT, 0) - 1, -1) if IMPORT.match(lines[i])), row - 1)
    return OFFERING.search(path) is not None or any(MARKED.search(lines[i]) for i in (start, row - 1))


def _is_only_read(lines: Sequence[str], row: int, column: int) -> bool:
    """Whether the parameter with that default is used, and as far as can be seen neither altered nor handed out or kept."""
    default = DEFAULT_OF.search(lines[row - 1][: column - 1])
    if not default:
        return False
    body = "\n".join(_rest_of_function(lines, row))
    name = default[1]
    return bool(re.search(rf"\b{name}\b", body)) and not re.search(ALTERING.format(name=name), body, re.MULTILINE)


def _rest_of_function(lines: Sequence[str], row: int) -> Sequence[str]:
    """The lines after that one up to the next definition that is no deeper than this function's own."""
    start = next((i for i in range(row - 1, -1, -1) if DEFINED.match(lines[i])), row - 1)
    depth = _depth(lines[start])
    rest = lines[row : row + LONGEST_FUNCTION]
    end = next((i for i, line in enumerate(rest) if DEFINED.match(line) and _depth(line) <= depth), len(rest))
    return rest[:end]


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
