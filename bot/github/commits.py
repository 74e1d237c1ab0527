"""Commits on GitHub: made by one mutation that holds the branch's head against the expected one, and read again by REST."""

import base64
from typing import Any

from bot.github.client import Client, Declined
from handlers.host import Gone, Moved, NewCommit, Rejected, StandingCommit, Unclear
from review.errors import TryAgain

CREATE = """
mutation ($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid } }
}
"""
"""Signed by GitHub in the app's name. An alternative by REST (blobs, a tree, a commit, the ref) takes four writes or more."""

MOVED = ("Expected branch to point to", "but expected")
"""What GitHub says where the branch had moved on, or does at this moment: `Ref … is at … but expected …`."""


async def create_commit(client: Client, installation_id: int, repository: str, new: NewCommit) -> str:
    """Make the commit; gives its id. Raises Moved, Gone, Rejected, TryAgain where it was not made, Unclear."""
    additions = [{"path": path, "contents": base64.b64encode(data).decode()} for path, data in new.files.items()]
    given = {
        "branch": {"repositoryNameWithOwner": repository, "branchName": new.branch},
        "expectedHeadOid": new.expected_head,
        "message": {"headline": new.headline, "body": new.body},
        "fileChanges": {"additions": additions},
    }
    try:
        data = await client.mutate(installation_id, CREATE, {"input": given})
    except Declined as declined:
        raise _meaning(declined, new.branch) from None
    try:
        return str(data["createCommitOnBranch"]["commit"]["oid"])
    except (KeyError, TypeError):
        raise Unclear("GitHub took the commit, but its answer does not name it.") from None


def _meaning(declined: Declined, branch: str) -> Moved | Gone | Rejected:
    words = str(declined)
    if declined.kind == "STALE_DATA" or any(said in words for said in MOVED):
        return Moved(f"The branch {branch} has moved on.")
    if "not accessible by integration" in words:
        return Rejected(
            f"GitHub says: {words}. Commits take the permission `contents: write`: grant it in the app's settings, and have it"
            " accepted for the installation."
        )
    if declined.kind == "NOT_FOUND":
        return Gone(f"GitHub does not show the branch {branch} to the app (any more): {words}.")
    return Rejected(f"GitHub says: {words}")


def read_commits(comparison: dict[str, Any]) -> list[StandingCommit]:
    """The commits of GitHub's comparison, oldest first. Raises TryAgain when it is none."""
    try:
        return [
            StandingCommit(
                str(row["sha"]), str(row["commit"]["message"]), tuple(str(parent["sha"]) for parent in row["parents"])
            )
            for row in comparison["commits"]
        ]
    except (KeyError, TypeError):
        raise TryAgain("GitHub's answer is no comparison.") from None
