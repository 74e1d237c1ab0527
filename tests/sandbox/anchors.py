"""Where a review comment may hang: GitHub's rules for path, side, line and start_line, and what a push does to them."""

from dataclasses import dataclass

from tests.sandbox.answering import JSON, Refused, missing, typed
from tests.sandbox.changes import ChangedFile, Changes, HunkLine, changes, moved_line
from tests.sandbox.world import Comment, PullRequest, User

SIDES = ("LEFT", "RIGHT")


class Unplaced(Exception):
    """The comment has no place. `short` is the reviews endpoint's sentence, `field` and `long` the comments endpoint's."""

    def __init__(self, field: str, long: str, short: str = "") -> None:
        super().__init__(long)
        self.field, self.long = field, long
        self.short = short or f"Pull request review thread {field.replace('_', ' ')} {long}"


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a diff that GitHub accepts."""

    path: str
    end: HunkLine
    side: str
    start: HunkLine | None
    start_side: str | None
    hunk: str

    def comment(self, id: int, review: int, commit_id: str, user: User, body: str) -> Comment:
        """The comment that hangs here."""
        line, start = self.end.number(self.side), self.start.number(self.start_side or self.side) if self.start else None
        return Comment(
            id=id, review=review, user=user, body=body, path=self.path, commit_id=commit_id, original_commit_id=commit_id,
            side=self.side, line=line, original_line=line, start_line=start, original_start_line=start,
            start_side=self.start_side, position=self.end.position, original_position=self.end.position, diff_hunk=self.hunk,
        )  # fmt: skip


def place(pull: PullRequest, commit_id: str, given: JSON) -> Place:
    """The place that a comment's fields name in the diff of that commit. Raises Unplaced, or 422 for wrong types."""
    path = typed(given, "path", str)
    side, line = typed(given, "side", str, "RIGHT"), typed(given, "line", int)
    position, start_line = typed(given, "position", int), typed(given, "start_line", int)
    start_side = typed(given, "start_side", str, side)
    if side not in SIDES or start_side not in (*SIDES, "side"):
        raise Refused(422, 'Invalid request.\n\nside is not a member of ["LEFT", "RIGHT"].')
    if line is None and position is None:
        raise missing("line")
    file = _file(changes(pull.repository.path, pull.base_tip, commit_id), path)
    if line is None:
        return _at_position(file, position)
    end = file.line(line, side)
    if end is None:
        raise Unplaced("line", "must be part of the diff", "Line could not be resolved")
    if start_line is None:
        return Place(file.path, end, side, None, None, file.hunk_until(end))
    start_side = side if start_side == "side" else start_side
    return Place(file.path, end, side, _start(file, start_line, start_side, end, side), start_side, file.hunk_until(end))


def _file(changed: Changes, path: str) -> ChangedFile:
    file = changed.file(path)
    if file is None or not file.lines:
        raise Unplaced("path", "is invalid", "Path could not be resolved")
    return file


def _at_position(file: ChangedFile, position: int) -> Place:
    end = file.at(position)
    if end is None:
        raise Unplaced("position", "is invalid", "Position could not be resolved")
    return Place(file.path, end, "RIGHT" if end.right is not None else "LEFT", None, None, file.hunk_until(end))


def _start(file: ChangedFile, number: int, start_side: str, end: HunkLine, side: str) -> HunkLine:
    start = file.line(number, start_side)
    end_number = end.number(side)
    if start_side == side and end_number is not None and number >= end_number:
        raise Unplaced("start_line", "must precede the end line.")
    if start is None or start.hunk != end.hunk:
        raise Unplaced("start_line", "must be part of the same hunk as the line.")
    if start.position >= end.position:
        raise Unplaced("start_line", "must precede the end line.")
    return start


def follow(pull: PullRequest, comment: Comment) -> None:
    """Carry a comment over to the pull request's present head, or mark it outdated where its lines were altered."""
    if comment.subject_type == "file" or comment.line is None or comment.commit_id == pull.head_sha:
        return
    if comment.side == "RIGHT":
        line, start = (_moved(pull, comment, number) for number in (comment.line, comment.start_line))
    else:
        line, start = comment.line, comment.start_line
    file = pull.changes.file(comment.path)
    end = file.line(line, comment.side) if file and line is not None else None
    if end is None or (comment.start_line is not None and start is None):
        comment.line = comment.start_line = comment.position = None
        return
    comment.line, comment.start_line, comment.position, comment.commit_id = line, start, end.position, pull.head_sha


def _moved(pull: PullRequest, comment: Comment, number: int | None) -> int | None:
    if number is None:
        return None
    return moved_line(pull.repository.path, comment.commit_id, pull.head_sha, comment.path, number)
