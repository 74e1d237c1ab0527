"""CodeHost on GitHub: pull requests and reviews, read and posted by REST; commits, made by GraphQL."""

from typing import Any
from urllib.parse import quote

from bot.github.client import Client, fields, rows
from bot.github.commits import create_commit, read_commits
from bot.github.http import Answer
from handlers.host import NewCommit, PostedReview, StandingCommit, Unclear
from review.errors import TryAgain
from review.pull_request import PullRequest, Repository
from review.review import Comment, Review

PAGE = 100
FEW = 10
"""A last page with fewer reviews than this is read together with the one before it: a review that was posted shortly before a
crash must be among those that are looked at. The one case in which the look costs three calls."""


class GitHubHost:
    """Fulfils handlers.host.CodeHost."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def pull_request(self, installation_id: int, repository: str, number: int) -> PullRequest:
        return read_pull_request(fields(await self._client.get(installation_id, f"/repos/{repository}/pulls/{number}")))

    async def bot_reviews(self, installation_id: int, repository: str, number: int) -> list[PostedReview]:
        """GitHub lists the oldest first: the newest are on the last page, whose number the first one tells."""
        first = await self._reviews(installation_id, repository, number, 1)
        last = first.page("last") or 1
        found = rows(first)
        if last > 1:
            newest = rows(await self._reviews(installation_id, repository, number, last))
            if last > 2:
                few = len(newest) < FEW
                found = rows(await self._reviews(installation_id, repository, number, last - 1)) if few else []
            found += newest
        return [read_review(row) for row in found if _by_bot(row)]

    async def post_review(self, installation_id: int, repository: str, number: int, review: Review) -> int:
        body: dict[str, object] = {"commit_id": review.head_sha, "event": "COMMENT", "body": clean(review.body)}
        if review.comments:
            body["comments"] = [_comment(comment) for comment in review.comments]
        answer = await self._client.write(installation_id, "POST", f"/repos/{repository}/pulls/{number}/reviews", body)
        try:
            return int(fields(answer)["id"])
        except (TryAgain, KeyError, TypeError, ValueError):
            raise Unclear("GitHub took the review, but its answer does not name it.") from None

    async def edit_review(self, installation_id: int, repository: str, number: int, review_id: int, body: str) -> None:
        path = f"/repos/{repository}/pulls/{number}/reviews/{review_id}"
        await self._client.write(installation_id, "PUT", path, {"body": clean(body)})

    async def delete_pending_review(self, installation_id: int, repository: str, number: int, review_id: int) -> None:
        await self._client.write(installation_id, "DELETE", f"/repos/{repository}/pulls/{number}/reviews/{review_id}")

    async def commit_files(self, installation_id: int, repository: str, new: NewCommit) -> str:
        return await create_commit(self._client, installation_id, repository, new)

    async def commits_since(self, installation_id: int, repository: str, sha: str, head: str) -> list[StandingCommit]:
        answer = await self._client.get(installation_id, f"/repos/{repository}/compare/{sha}...{quote(head)}")
        return read_commits(fields(answer))

    async def app_login(self) -> str:
        return await self._client.identity.app_login()

    async def _reviews(self, installation_id: int, repository: str, number: int, page: int) -> Answer:
        path = f"/repos/{repository}/pulls/{number}/reviews"
        return await self._client.get(installation_id, path, {"per_page": PAGE, "page": page})


def read_pull_request(body: dict[str, Any]) -> PullRequest:
    """GitHub's pull request as ours. Raises TryAgain when something that we need is not there."""
    try:
        base, repository, author = body["base"], body["base"]["repo"], body.get("user") or {}
        changed = body.get("changed_files")
        return PullRequest(
            repository=Repository(
                int(repository["id"]), str(repository["full_name"]), bool(repository.get("private", True)),
                str(repository.get("default_branch") or "main"),
            ),
            number=int(body["number"]),
            head_sha=str(body["head"]["sha"]),
            base_sha=str(base["sha"]),
            base_ref=str(base["ref"]),
            title=str(body.get("title") or ""),
            body=str(body.get("body") or ""),
            author=str(author.get("login") or "ghost"),
            author_is_bot=author.get("type") == "Bot",
            author_association=str(body.get("author_association") or "NONE"),
            state=str(body.get("state") or "open"),
            draft=bool(body.get("draft")),
            changed_files=int(changed) if changed is not None else None,
            head_ref=str(body["head"].get("ref") or ""),
            from_fork=(body["head"].get("repo") or {}).get("id") != repository["id"],
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise TryAgain(f"GitHub's answer is no pull request ({error!r}).") from None


def read_review(body: dict[str, Any]) -> PostedReview:
    """GitHub's review as ours. Raises TryAgain when it has no number."""
    try:
        state = str(body.get("state") or "").upper()
        return PostedReview(int(body["id"]), str(body.get("body") or ""), state, _by_bot(body))
    except (KeyError, TypeError, ValueError):
        raise TryAgain("GitHub's answer is no review.") from None


def _by_bot(body: dict[str, Any]) -> bool:
    user = body.get("user")
    return isinstance(user, dict) and user.get("type") == "Bot"


def _comment(comment: Comment) -> dict[str, object]:
    """One inline comment; `start_*` only for several lines (GitHub refuses the whole review otherwise)."""
    body: dict[str, object] = {
        "path": comment.path, "body": clean(comment.body), "line": comment.line, "side": str(comment.side),
    }  # fmt: skip
    if comment.start_line is not None and comment.start_line < comment.line:
        body |= {"start_line": comment.start_line, "start_side": str(comment.side)}
    return body


def clean(text: str) -> str:
    """Text that every JSON reader and database takes: no unpaired surrogates, no NUL."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
