"""What the demo shows: each step with its seconds, and the review as GitHub's page would show it."""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import SequenceMatcher

from rich.console import Console
from rich.text import Text

from bot.terminal import DIFF_STYLES, STYLES, harmless
from review.finding import Severity
from tests.builders import git
from tests.sandbox.suggestions import suggested
from tests.sandbox.world import Comment, PullRequest, Review

TITLE = re.compile(r"\*\*(\w+) · ([\w-]+)\*\*")
MARKS = re.compile(r"<!--.*?-->|</?details[^>]*>|</?summary>", re.DOTALL)
BLOCK = re.compile(r"^(`{3,})suggestion\n.*?^\1$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[(`+)([^\]`]*)\1\]\((https://[^)\s]*)\)")
MOST_SHOWN = 8
"""Lines of code above a comment."""

console = Console(markup=False, highlight=False, emoji=False, soft_wrap=True)


def say(text: str = "", style: str = "") -> None:
    """Lines on stdout; nothing in them moves the cursor."""
    console.print(Text(harmless(text, keep="\n"), style=style))


@contextmanager
def step(words: str) -> Iterator[None]:
    """Shows that this is being done, then how long it took."""
    console.print(Text(f"  {harmless(words)} ... "), end="")
    began = time.monotonic()
    yield
    console.print(Text(f"{time.monotonic() - began:.1f} s", style="dim"))


def done(words: str, seconds: float) -> None:
    """A step that somebody else took."""
    console.print(Text.assemble(f"  {harmless(words)} ... ", (f"{seconds:.1f} s", "dim")))


def show_review(pull: PullRequest, review: Review, comments: Sequence[Comment]) -> None:
    """The review's body, then each comment with its code and the suggested change."""
    say()
    console.rule(Text(harmless(f"{review.user.login} reviewed #{pull.number} {pull.title}"), style="bold"), align="left")
    say(_plain(review.body))
    for comment in comments:
        say()
        _show_comment(pull, comment)
    console.rule()


def _show_comment(pull: PullRequest, comment: Comment) -> None:
    first, last = comment.start_line or comment.line or 0, comment.line or 0
    place = f"{comment.path}:{first}" + (f"-{last}" if last != first else "")
    title = TITLE.search(comment.body)
    severity, category = (title[1].lower(), title[2]) if title else ("", "")
    style = STYLES[Severity(severity)] if severity in list(Severity) else ""
    console.print(Text.assemble((harmless(place), "bold"), "  ", (severity, style), f"  {category}"))
    code = _lines(pull, comment, first, last)
    blocks = suggested(comment.body)
    if not blocks:
        for number, line in enumerate(code[:MOST_SHOWN], first):
            console.print(Text(f"  {number:>5} | {_code(line)}", style="dim"))
    say("\n".join(f"    {row}" for row in _plain(BLOCK.sub("", TITLE.sub("", comment.body, count=1))).splitlines() if row))
    for block in blocks:
        for row in changed(code, block):
            console.print(Text(f"    {row[0]} {_code(row[1:])}", style=DIFF_STYLES.get(row[0], "")))


def _lines(pull: PullRequest, comment: Comment, first: int, last: int) -> list[str]:
    """The lines under a comment, at the end of the change that it hangs on."""
    commit = pull.head_sha if comment.side == "RIGHT" else pull.changes.merge_base
    path = comment.path
    if comment.side == "LEFT" and (file := pull.changes.file(path)) is not None:
        path = file.previous_path or path
    data = git(pull.repository.path, "cat-file", "blob", f"{commit}:{path}")
    return data.decode(errors="replace").split("\n")[first - 1 : last]


def changed(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    """A diff without headers: each row begins with a space, `-` or `+`."""
    old, new = ([line.removesuffix("\r") for line in lines] for lines in (before, after))
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            yield from (f" {line}" for line in old[a:b])
        else:
            yield from (f"-{line}" for line in old[a:b])
            yield from (f"+{line}" for line in new[c:d])


def _code(line: str) -> str:
    return harmless(line.removesuffix("\r").expandtabs(4))


def _plain(markdown: str) -> str:
    """Our own Markdown without its marks: what is bold, folded or hidden on GitHub's page is plain text here."""
    text = LINK.sub(r"\2, \3", MARKS.sub("", markdown).replace("**", "")).replace("`", "")
    return re.sub(r"\n{3,}", "\n\n", text).strip()
