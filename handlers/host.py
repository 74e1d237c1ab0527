"""What the handlers ask of a code host, of git and of the post: the protocols that `bot/` fulfils."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from review.change import Change
from review.context.tree import Tree
from review.errors import RefactorIQError
from review.pull_request import PullRequest, Repository
from review.review import Review
from storage.accounts.github_accounts import GitHubPerson, GitHubTokens
from storage.accounts.seen_on_github import SeenInstallation


class Gone(RefactorIQError):
    """The repository, pull request or installation is not there (any more), or the app may not see it."""


class Rejected(RefactorIQError):
    """The host understood the request and will not do it (422, or a lasting 403). The text holds its words."""


class Unclear(RefactorIQError):
    """A write was sent and no answer came back: it may have happened. Look before doing it again."""


class Moved(Rejected):
    """The branch does not stand (any more) at the commit that a write expected there. Nothing was written."""


class Revoked(RefactorIQError):
    """The host takes a person's token for none (any more): they have to sign in there again."""


@dataclass(frozen=True, slots=True)
class PostedReview:
    """A review that stands on a pull request. `by_bot` is GitHub's word for its author; `state` is upper case (`PENDING` …)."""

    id: int
    body: str
    state: str
    by_bot: bool


@dataclass(frozen=True, slots=True)
class NewCommit:
    """A commit to be made on `branch` while that stands at `expected_head`. `files` are whole new contents by path."""

    branch: str
    expected_head: str
    headline: str
    body: str
    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class StandingCommit:
    """A commit that stands on the host; `message` is all of it."""

    sha: str
    message: str
    parents: tuple[str, ...]


class CodeHost(Protocol):
    """GitHub, as one installation of the app sees it. All methods may raise TryAgain and Gone; writes Rejected, Unclear."""

    async def pull_request(self, installation_id: int, repository: str, number: int) -> PullRequest:
        """The pull request as it stands now. Costs one call."""
        ...

    async def bot_reviews(self, installation_id: int, repository: str, number: int) -> list[PostedReview]:
        """The newest (at most 200) reviews written by bots, oldest first. One call; two where there are over a
        hundred, three where the last hundred has only just begun."""
        ...

    async def post_review(self, installation_id: int, repository: str, number: int, review: Review) -> int:
        """Post it, whole, as COMMENT on `review.head_sha`; gives its id. One request, never repeated from within."""
        ...

    async def edit_review(self, installation_id: int, repository: str, number: int, review_id: int, body: str) -> None:
        """Replace the body of a review of ours."""
        ...

    async def delete_pending_review(self, installation_id: int, repository: str, number: int, review_id: int) -> None:
        """Take away a PENDING review of ours that was left behind (GitHub allows one for each author)."""
        ...

    async def commit_files(self, installation_id: int, repository: str, new: NewCommit) -> str:
        """Make that commit; gives its id. One request, never repeated from within. Files keep their modes.

        Raises Moved where the branch has moved on, Gone where there is no such branch.
        """
        ...

    async def commits_since(self, installation_id: int, repository: str, sha: str, head: str) -> list[StandingCommit]:
        """The commits that `head` (a commit or a branch) holds and `sha` does not, oldest first, at most 250.

        Raises Gone where one of the two is not there.
        """
        ...

    async def app_login(self) -> str:
        """The login under which this app acts, `slug[bot]`; asked once and remembered."""
        ...


class Source(Protocol):
    """Where changes come from: git, with the host's API behind it."""

    async def change(self, installation_id: int, pull: PullRequest) -> Change:
        """The pull request's change from its merge base, readable at both ends.

        Where git cannot reach it the API's diff serves, and `Change.unread` says what could not be read.
        Raises TryAgain, Gone, or Superseded when the head is not there any more.
        """
        ...

    async def rules(self, installation_id: int, pull: PullRequest) -> bytes | None:
        """`.refactoriq.yml` at the base branch's tip (never the head's), or None. Call after `change`."""
        ...

    async def branch(self, installation_id: int, repository: Repository) -> Tree:
        """The newest commit of the default branch, whichever that is now, with its history as far as it is affordable.

        Its files are fetched when they are read, in one go. Raises TryAgain; Gone also for a repository without commits.
        """
        ...

    async def commit(self, installation_id: int, repository: Repository, ref: str) -> Tree:
        """The commit that a branch, a tag or a full id names, without its history. Of one name, the branch goes before a tag.

        Its files are fetched when they are read. Raises TryAgain, and Gone where there is no such ref.
        """
        ...


@dataclass(frozen=True, slots=True)
class Mail:
    """A letter in plain text. Its words are written in `handlers/mails.py`."""

    to: str
    subject: str
    text: str


class Mailer(Protocol):
    """The way to people's mailboxes."""

    async def send(self, mail: Mail, id: str) -> None:
        """Hand it over to be delivered. `id` stands for this mail: sent twice with the same one, it is the same message.

        Raises TryAgain (refused for now, nobody answered), or UserError: refused for good, or there is no way.
        """
        ...


class SignIn(Protocol):
    """Signing in on GitHub, and what it tells people of themselves. Whatever asks may raise TryAgain, Rejected and Revoked."""

    def authorize_url(self, state: str, challenge: str) -> str:
        """Where the browser is sent; `challenge` is the S256 of the verifier (RFC 7636)."""
        ...

    async def exchange(self, code: str, verifier: str) -> GitHubTokens:
        """The tokens for a code that the browser brought back; each code is good once."""
        ...

    async def renewed(self, tokens: GitHubTokens) -> GitHubTokens:
        """New tokens, after which the old ones are worth nothing."""
        ...

    async def person(self, tokens: GitHubTokens) -> GitHubPerson:
        """Whose tokens they are."""
        ...

    async def installations(self, tokens: GitHubTokens, github_id: int) -> list[SeenInstallation]:
        """Where the app is installed and the person with that id may read something."""
        ...
