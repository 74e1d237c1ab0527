"""Cut a body to GitHub's size at a paragraph, and never inside a fenced block."""

import re

MAX_BODY = 64_000
"""GitHub refuses bodies over 65,536 characters; the rest is room for what GitHub itself may add."""

CUT = "\n\n_The rest was too long for GitHub and is left out._"
FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")


def capped(body: str, tail: str = "", limit: int = MAX_BODY) -> str:
    """`body` followed by `tail`, at most `limit` characters (UTF-16 units, as GitHub may count them).

    What does not fit is cut off the body at the last blank line outside a fence, and the cut is said. `tail` is never cut.
    """
    if _units(body) + _units(tail) <= limit:
        return body + tail
    room = limit - _units(tail) - _units(CUT)
    return _paragraphs_within(body, room) + CUT + tail


def _paragraphs_within(body: str, room: int) -> str:
    used, kept, best, fence = 0, [], 0, ""
    for line in body.split("\n"):
        used += _units(line) + 1
        if used > room:
            break
        kept.append(line)
        fence = _fence_after(line, fence)
        if not fence and not line.strip():
            best = len(kept)
    return "\n".join(kept[:best]).rstrip()


def _fence_after(line: str, fence: str) -> str:
    """The fence that is open after this line: a closing one is at least as long as the one that opened it."""
    match = FENCE.match(line)
    if not match:
        return fence
    if not fence:
        return match.group(1)
    closes = match.group(1).startswith(fence) and not line.strip().strip(fence[0])
    return "" if closes else fence


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
