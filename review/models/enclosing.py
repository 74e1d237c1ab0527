"""Find the function or class that lines of a file stand in, by its text alone: cheap, and for any language."""

import re
from collections.abc import Sequence

FARTHEST = 1_000
"""Lines that are searched upwards."""

MAX_LENGTH = 120
SYMBOL = re.compile(
    r"\s*(?:(?:export|default|declare|public|private|protected|internal|static|final|abstract|sealed|open|override|virtual"
    r"|inline|unsafe|extern|async|partial|data|pub(?:\(\w+\))?)\s+)*"
    r"(?:def|class|func|function|fn|fun|interface|struct|enum|trait|impl|module|namespace|object|protocol|extension)\b"
)


def enclosing_symbol(lines: Sequence[str], number: int) -> tuple[int, str]:
    """The line (1-based number and text) that opens the innermost function or class around line `number`; (0, "") for none."""
    start = max(number - 1, 0)
    width = _indent(next((line for line in lines[start : start + FARTHEST] if line.strip()), ""))
    for above in range(min(number - 1, len(lines)), max(number - FARTHEST, 0), -1):
        line = lines[above - 1]
        if not line.strip() or _indent(line) >= width:
            continue
        width = _indent(line)
        if SYMBOL.match(line[:MAX_LENGTH]):
            return above, line.strip()[:MAX_LENGTH]
    return 0, ""


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
