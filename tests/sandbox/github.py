"""A GitHub on loopback, backed by real git repositories: the Python side of it, for tests, the demo and the bench.

As its own process: `python -m tests.sandbox.github --port N --root DIR` (see `tests/sandbox/control.py` for what it takes).
"""

import argparse
import json
import re
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.sandbox import access
from tests.sandbox.authoring import Authoring
from tests.sandbox.contract import Contract
from tests.sandbox.delivering import ANSWER_WITHIN, Delivering
from tests.sandbox.faults import Fault, Kind
from tests.sandbox.server import Exchange, Server
from tests.sandbox.serving import App, Serving, wait_until_told
from tests.sandbox.signing_in import SigningIn
from tests.sandbox.suggestions import apply_suggestions
from tests.sandbox.world import Comment, Installation, IssueComment, PullRequest, Repository, Review, World


class SandboxGitHub(Authoring, Delivering, SigningIn):
    """One GitHub with one app on it. Everything may be asked and altered while it serves.

    `url` is its web address (`GITHUB_WEB_URL`, git), `api_url` its REST address; the app has `app_id`, `private_key` (PEM),
    `webhook_secret` and acts as `bot_login`.
    """

    def __init__(
        self,
        root: Path,
        private_key: str,
        public_key: bytes,
        *,
        port: int = 0,
        contract: Contract | None = None,
        control: Callable[["SandboxGitHub"], App] | None = None,
    ) -> None:
        self.world = World(root, public_key)
        self.server = Server(self.world)
        self.bot_login = self.world.bot.login
        self.private_key = private_key
        self.contract = contract
        self.accept_violations = False
        """For tests that send what GitHub's description forbids, on purpose."""
        self._serving = Serving(self.server if control is None else control(self), port)
        self._threads: list[threading.Thread] = []
        self.world.url = self._serving.url
        self.world.redeliver = self._redeliver_beside

    def start(self) -> "SandboxGitHub":
        self._serving.start()
        return self

    def stop(self) -> None:
        for thread in self._threads:
            thread.join(ANSWER_WITHIN)
        self._serving.stop()

    @property
    def url(self) -> str:
        return self.world.url

    @property
    def api_url(self) -> str:
        return self.world.api

    @property
    def app_id(self) -> str:
        return str(self.world.app_id)

    @property
    def webhook_secret(self) -> str:
        return self.world.webhook_secret

    @property
    def requests(self) -> list[Exchange]:
        """Everything that was asked, git's requests included, oldest first."""
        return self.server.requests

    @property
    def rest_requests(self) -> list[Exchange]:
        return [exchange for exchange in self.server.requests if exchange.rest]

    @property
    def violations(self) -> list[str]:
        """Where a request or an answer so far is not as GitHub's own description says, each as a sentence."""
        return self.contract.violations(self.server.requests) if self.contract else []

    def pull(self, repository: Repository | str, number: int) -> PullRequest:
        return self._repository(repository).pulls[number]

    def reviews(self, repository: Repository | str, number: int) -> list[Review]:
        """The reviews of a pull request, oldest first, pending ones included."""
        with self.world.lock:
            return list(self.pull(repository, number).reviews.values())

    def comments(self, repository: Repository | str, number: int) -> list[Comment]:
        """The comments on lines of a pull request, oldest first."""
        with self.world.lock:
            return list(self.pull(repository, number).comments.values())

    def conversation(self, repository: Repository | str, number: int) -> list[IssueComment]:
        with self.world.lock:
            return list(self.pull(repository, number).talk.values())

    def apply_suggestion(self, comment: Comment, block: int = 0) -> bytes:
        """The head's file after pressing "Commit suggestion" on that comment. Raises SuggestionRefused."""
        return self.apply_suggestions([comment], block)[comment.path]

    def apply_suggestions(self, comments: Sequence[Comment], block: int = 0) -> dict[str, bytes]:
        """The head's files after committing those suggestions as one batch; gives {path: new bytes}."""
        with self.world.lock:
            return apply_suggestions(self._pull_of(comments[0]), comments, block)

    def commit_suggestions(self, comments: Sequence[Comment]) -> str:
        """Apply them and push the commit; gives the new head."""
        with self.world.lock:
            pull = self._pull_of(comments[0])
            files = apply_suggestions(pull, comments)
            for comment in comments:
                comment.applied = True
            return self.push(pull, files)

    def _pull_of(self, comment: Comment) -> PullRequest:
        pulls = (pull for repository in self.world.repositories.values() for pull in repository.pulls.values())
        return next(pull for pull in pulls if pull.comments.get(comment.id) is comment)

    def fault(self, method: str, path: str, kind: Kind | str, times: int = 1, *, seconds: float = 1.0, skip: int = 0) -> Fault:
        """Let the next `times` requests fail whose method (`*`: any) and path (a regular expression, searched in the path
        without `/api/v3`) match, after letting `skip` of them pass. `seconds` is the delay, Retry-After, or time to a reset.
        """
        fault = Fault(method.upper(), re.compile(path), Kind(kind), times, seconds, skip)
        self.server.faults.append(fault)
        return fault

    def token(self, installation: Installation) -> str:
        """A token of that installation, without the call for it."""
        with self.world.lock:
            return access.issue_token(self.world, installation, dict(installation.permissions), None).text


def main() -> None:
    """Serve until told to stop; the first line printed is JSON with the app's settings."""
    from tests.sandbox.app_key import make_app_key
    from tests.sandbox.control import Control, app_settings

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--root", type=Path, help="where the git repositories are kept (default: a temporary folder)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sandbox-github-") as temporary:
        key = make_app_key()
        github = SandboxGitHub(given.root or Path(temporary), key.private, key.public, port=given.port, control=Control).start()
        print(json.dumps(app_settings(github)), flush=True)
        wait_until_told()
        github.stop()


if __name__ == "__main__":
    main()
