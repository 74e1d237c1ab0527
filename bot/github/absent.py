"""What stands in GitHub's place where no app is set up: all that is asked of it fails with a sentence that says what to set."""

from typing import NoReturn

from handlers.host import NewCommit, PostedReview, StandingCommit
from review.change import Change
from review.context.tree import Tree
from review.errors import UserError
from review.pull_request import PullRequest, Repository
from review.review import Review

HOW = "This takes a GitHub App, and none is set up: set GITHUB_APP_ID and GITHUB_PRIVATE_KEY, restart the worker, then retry."


class NoGitHub:
    """Fulfils handlers.host.CodeHost and handlers.host.Source. Every method raises UserError."""

    async def pull_request(self, installation_id: int, repository: str, number: int) -> PullRequest:  # noqa: ARG002
        _refuse()

    async def bot_reviews(self, installation_id: int, repository: str, number: int) -> list[PostedReview]:  # noqa: ARG002
        _refuse()

    async def post_review(self, installation_id: int, repository: str, number: int, review: Review) -> int:  # noqa: ARG002
        _refuse()

    async def edit_review(self, installation_id: int, repository: str, number: int, review_id: int, body: str) -> None:  # noqa: ARG002
        _refuse()

    async def delete_pending_review(self, installation_id: int, repository: str, number: int, review_id: int) -> None:  # noqa: ARG002
        _refuse()

    async def commit_files(self, installation_id: int, repository: str, new: NewCommit) -> str:  # noqa: ARG002
        _refuse()

    async def commits_since(self, installation_id: int, repository: str, sha: str, head: str) -> list[StandingCommit]:  # noqa: ARG002
        _refuse()

    async def app_login(self) -> str:
        _refuse()

    async def change(self, installation_id: int, pull: PullRequest) -> Change:  # noqa: ARG002
        _refuse()

    async def rules(self, installation_id: int, pull: PullRequest) -> bytes | None:  # noqa: ARG002
        _refuse()

    async def branch(self, installation_id: int, repository: Repository) -> Tree:  # noqa: ARG002
        _refuse()

    async def commit(self, installation_id: int, repository: Repository, ref: str) -> Tree:  # noqa: ARG002
        _refuse()


def _refuse() -> NoReturn:
    raise UserError(HOW)
