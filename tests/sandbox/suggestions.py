"""Press "Commit suggestion": apply ```suggestion blocks to the head's files with GitHub's semantics and refusals."""

import re
from collections.abc import Sequence

from tests.builders import git
from tests.sandbox.world import Comment, PullRequest

OPENING = re.compile(r"^ {0,3}(`{3,}|~{3,})[ \t]*(\S*)[^\n]*$")


class SuggestionRefused(Exception):
    """GitHub's page would not apply it; the text is the page's own reason."""


def suggested(body: str) -> list[list[str]]:
    """The suggestion blocks of a comment, each as its lines (a `\\r` before the line's end stays)."""
    blocks: list[list[str]] = []
    fence, wanted = "", False
    lines: list[str] = []
    for row in body.split("\n"):
        if not fence:
            opening = OPENING.match(row.removesuffix("\r"))
            if opening and not ("`" in opening[1] and "`" in row[opening.end(1) :]):
                fence, wanted, lines = opening[1], opening[2] == "suggestion", []
        elif re.fullmatch(rf" {{0,3}}{fence[0]}{{{len(fence)},}}[ \t]*", row.removesuffix("\r")):
            if wanted:
                blocks.append(lines)
            fence = ""
        else:
            lines.append(row)
    return blocks


def apply_suggestions(pull: PullRequest, comments: Sequence[Comment], block: int = 0) -> dict[str, bytes]:
    """The head's files after committing these suggestions in one batch; gives {path: new bytes}.

    The lines start_line..line are replaced by the block's lines as they stand; the last of them keeps the line end (or the
    lack of one) that the last replaced line had. Raises SuggestionRefused where the page's button would be off.
    """
    if pull.state != "open":
        raise SuggestionRefused("Suggestions cannot be applied while the pull request is closed.")
    if pull.queued:
        raise SuggestionRefused("Suggestions cannot be applied while the pull request is queued to merge.")
    taken: dict[str, set[int]] = {}
    for comment in comments:
        _check(pull, comment)
        lines = set(range(_first(comment), (comment.line or 0) + 1))
        if lines & taken.setdefault(comment.path, set()):
            raise SuggestionRefused("Only one suggestion per line can be applied in a batch.")
        taken[comment.path] |= lines
    files: dict[str, bytes] = {}
    for comment in sorted(comments, key=lambda c: -_first(c)):  # from the bottom, so that line numbers hold
        before = files.get(comment.path) or git(pull.repository.path, "cat-file", "blob", f"{pull.head_sha}:{comment.path}")
        files[comment.path] = _replaced(before, comment, block)
    return files


def _check(pull: PullRequest, comment: Comment) -> None:
    review = pull.reviews.get(comment.review)
    if review is not None and review.state == "PENDING":
        raise SuggestionRefused("Suggestions cannot be applied from pending reviews.")
    if comment.applied:
        raise SuggestionRefused("This suggestion has been applied or marked resolved.")
    if comment.outdated:
        raise SuggestionRefused("Outdated suggestions cannot be applied.")
    if comment.side == "LEFT" or comment.start_side == "LEFT":
        raise SuggestionRefused("Applying suggestions on deleted lines is not supported.")
    if comment.line is None:
        raise SuggestionRefused("Suggestion cannot be applied right now: it hangs on no line.")


def _first(comment: Comment) -> int:
    return comment.start_line if comment.start_line is not None else comment.line or 0


def _replaced(data: bytes, comment: Comment, block: int) -> bytes:
    blocks = suggested(comment.body)
    if len(blocks) <= block:
        raise SuggestionRefused("There is no such suggestion block in this comment.")
    first, last = _first(comment), comment.line or 0
    lines = re.findall(rb"[^\n]*\n|[^\n]+$", data)
    if last > len(lines):
        raise SuggestionRefused("The file has no such line.")
    end = re.search(rb"\r?\n$|$", lines[last - 1])
    new = [line.encode() for line in blocks[block]]
    text = b"\n".join(new).removesuffix(b"\r") + (end[0] if end else b"") if new else b""
    after = b"".join([*lines[: first - 1], text, *lines[last:]])
    if after == data:
        raise SuggestionRefused("This suggestion is invalid because no changes were made to the code.")
    return after
