"""GraphQL, as far as it is needed: `createCommitOnBranch`, which makes the commit in the repository. Refusals come with 200."""

import base64
import binascii
import re
from typing import Any

from tests.builders import Content, Executable, commit, git
from tests.sandbox.anchors import follow
from tests.sandbox.answering import Answer, Call, Refused
from tests.sandbox.world import PullRequest, Repository, now

MUTATION = "createCommitOnBranch"
OBJECT_ID = re.compile(r"[0-9a-f]{40}")


class Wrong(Exception):
    """An error of the GraphQL API, with its type."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind, self.message = kind, message


def graphql(call: Call) -> Answer:
    """The one mutation. What it answers, and in which order it looks, is as GitHub's."""
    if call.token is None:
        raise Refused(401, "This endpoint requires you to be authenticated.")
    query = call.given("query", str, "")
    if MUTATION not in query:
        return _refused(Wrong("undefinedField", "Field doesn't exist on type 'Mutation'"))
    try:
        oid = _create_commit(call, (call.given("variables", dict, {}) or {}).get("input") or {})
    except Wrong as wrong:
        return _refused(wrong)
    return Answer(200, {"data": {MUTATION: {"commit": {"oid": oid}}}})


def _refused(wrong: Wrong) -> Answer:
    error = {"type": wrong.kind, "path": [MUTATION], "locations": [{"line": 3, "column": 3}], "message": wrong.message}
    return Answer(200, {"data": {MUTATION: None}, "errors": [error]})


def _create_commit(call: Call, given: dict[str, Any]) -> str:
    files = _files(given)
    name, branch, expected = given["branch"]["repositoryNameWithOwner"], given["branch"]["branchName"], given["expectedHeadOid"]
    repository = call.world.repository(name)
    assert call.token is not None
    if repository is None or (repository.private and not call.token.covers(repository)):
        raise Wrong("NOT_FOUND", f"Could not resolve to a Repository with the name '{name}'.")
    if not call.token.covers(repository) or not call.token.may("contents", "write"):
        raise Wrong("FORBIDDEN", "Resource not accessible by integration")
    branch = branch.removeprefix("refs/heads/")
    head = repository.branch(branch)
    if head is None:
        raise Wrong("NOT_FOUND", f"Branch not found: {branch}")
    if head != expected:
        raise Wrong("STALE_DATA", f'Expected branch to point to "{expected}" but it did not.  Pull and try again.')
    if branch in repository.protected:
        raise Wrong("BRANCH_PROTECTION_RULE_VIOLATION", "Changes must be made through a pull request.")
    words = given["message"]["headline"] + (f"\n\n{given['message']['body']}" if given["message"].get("body") else "")
    kept = {path: _with_its_mode(repository, head, path, data) for path, data in files.items()}
    author = f"{call.actor.login} <{call.actor.id}+{call.actor.login}@users.noreply.github.com>"
    oid = commit(repository.path, kept, ref=f"refs/heads/{branch}", parents=[head], message=words, author=author)
    for pull in _pulls_of(call, repository, branch):
        _move(pull, oid)
    return oid


def _files(given: dict[str, Any]) -> dict[str, bytes]:
    """What is to be written. Raises as GitHub's schema does where something is missing or of another type."""
    try:
        assert OBJECT_ID.fullmatch(given["expectedHeadOid"])
        assert given["message"]["headline"]
        assert given["branch"]["branchName"]
        assert given["branch"]["repositoryNameWithOwner"]
        additions = given["fileChanges"]["additions"]
        return {one["path"]: base64.b64decode(one["contents"], validate=True) for one in additions}
    except (AssertionError, KeyError, TypeError, binascii.Error) as error:
        wrong = f"Variable $input of type CreateCommitOnBranchInput! was provided invalid value ({error!r})"
        raise Wrong("INVALID_VARIABLE", wrong) from None


def _with_its_mode(repository: Repository, head: str, path: str, data: bytes) -> Content:
    row = git(repository.path, "ls-tree", head, "--", f":(literal){path}").decode(errors="surrogateescape")
    return Executable(data) if row.startswith("100755") else data


def _pulls_of(call: Call, repository: Repository, branch: str) -> list[PullRequest]:
    everywhere = (pull for one in call.world.repositories.values() for pull in one.pulls.values())
    return [pull for pull in everywhere if pull.head_repository is repository and pull.head_ref == branch]


def _move(pull: PullRequest, oid: str) -> None:
    pull.head_sha, pull.base_sha, pull.updated_at = oid, pull.base_tip, now()
    home = pull.head_repository
    assert home is not None
    git(pull.repository.path, "fetch", "--quiet", "--force", str(home.path), f"{oid}:refs/pull/{pull.number}/head")
    for comment in pull.comments.values():
        follow(pull, comment)
