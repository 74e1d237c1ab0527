"""Pull requests, their files and commits, and the diff media type with its limits."""

from tests.sandbox import shapes, shapes_pull
from tests.sandbox.answering import Answer, Call, Refused, not_found
from tests.sandbox.changes import ChangedFile
from tests.sandbox.world import PullRequest

DIFF_FILES, DIFF_LINES, DIFF_BYTES = 300, 20_000, 1024 * 1024
MOST_FILES, MOST_COMMITS = 3_000, 250
FILES_DOCS = "https://docs.github.com/rest/pulls/pulls#list-pull-requests-files"


def listed(call: Call) -> Answer:
    state, base, head = call.query.get("state", "open"), call.query.get("base"), call.query.get("head")
    rows = [pull for pull in call.repository.pulls.values() if state in ("all", pull.state)]
    rows = [pull for pull in rows if base in (None, pull.base_ref) and head in (None, _label(pull))]
    return call.page(rows[::-1], lambda pull: shapes_pull.pull_simple(call.world, pull))


def _label(pull: PullRequest) -> str:
    return f"{(pull.head_repository or pull.repository).owner.login}:{pull.head_ref}"


def one(call: Call) -> Answer:
    pull, accept = call.pull, call.accept
    if "diff" in accept or "patch" in accept:
        if not call.repository.private or (call.token is not None and call.token.may("contents", "read")):
            return _diff(pull)
        raise not_found()
    return Answer(200, shapes_pull.pull_request(call.world, pull))


def _diff(pull: PullRequest) -> Answer:
    changes = pull.changes
    if len(changes.files) > DIFF_FILES:
        raise _too_large(f"files ({DIFF_FILES})")
    if changes.text.count(b"\n") > DIFF_LINES:
        raise _too_large(f"lines ({DIFF_LINES})")
    if len(changes.text) > DIFF_BYTES:
        raise _too_large(f"bytes ({DIFF_BYTES})")
    return Answer(200, changes.text, media="application/vnd.github.diff; charset=utf-8")


def _too_large(what: str) -> Refused:
    message = (
        f"Sorry, the diff exceeded the maximum number of {what}. "
        "Consider using 'List pull requests files' API or locally cloning the repository instead."
    )
    return Refused(406, message, [{"resource": "PullRequest", "field": "diff", "code": "too_large"}], docs=FILES_DOCS)


def files(call: Call) -> Answer:
    pull = call.pull
    rows = list(pull.changes.files[:MOST_FILES])
    shown = _shown(rows)

    def shape(file: ChangedFile) -> shapes.Shape:
        entry = shapes.changed_file(call.world, pull.repository, pull.head_sha, file)
        return entry if file.path in shown else {key: value for key, value in entry.items() if key != "patch"}

    return call.page(rows, shape)


def _shown(rows: list[ChangedFile]) -> set[str]:
    """The files whose patch is loaded: those before the whole diff's limit of lines and bytes is reached."""
    shown, lines, size = set(), 0, 0
    for file in rows:
        patch = file.patch or b""
        lines, size = lines + patch.count(b"\n") + 1, size + len(patch)
        if lines <= DIFF_LINES and size <= DIFF_BYTES:
            shown.add(file.path)
    return shown


def commits(call: Call) -> Answer:
    """At most 250, the oldest: the last one listed is not the head of a long pull request."""
    pull = call.pull
    return call.page(pull.commits()[:MOST_COMMITS], lambda sha: shapes.commit(call.world, pull.repository, sha))
