"""Drive a sandbox that runs as its own process: `POST /_sandbox/ACT` with a JSON object, answered with JSON.

Acts and what they take (all else as in `SandboxGitHub`; files are {path: text, or null to delete, or {"base64": …}}):

    create_repository {full_name, base, private?}            import_repository {full_name, source, base, private?}
    install {account}                                        open_pull_request {repository, head | head_rev, title?, …}
    push {repository, number, files, force?}                 deliver {repository, number, url, action?, delivery_id?}
    push_base {repository, files, ref?, force?}   {before, after}     deliver_push {repository, before, url, ref?}
    state {repository, number}   reviews, comments, conversation as GitHub's JSON
    requests {}                  what was asked so far       fault {method, path, kind, times?, seconds?}
    apply_suggestions {repository, number}   {comment id: {"base64": new file} | {"refused": why}}
    app {}                       what the app's settings are
"""

import base64
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio.to_thread
import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse

from tests.builders import Content, Files
from tests.sandbox import shapes_pull
from tests.sandbox.delivering import NOWHERE
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.serving import Scope
from tests.sandbox.suggestions import SuggestionRefused
from tests.sandbox.world import Comment, PullRequest

JSON = Any
PREFIX = "/_sandbox/"


class Control:
    """The sandbox's application with the acts in front of it."""

    def __init__(self, github: SandboxGitHub) -> None:
        self._github = github
        self._acts: dict[str, Callable[[JSON], JSON]] = {
            act.__name__.strip("_"): act
            for act in (
                self._app, self._create_repository, self._import_repository, self._install, self._open_pull_request, self._push,
                self._push_base, self._deliver, self._deliver_push, self._state, self._requests, self._fault,
                self._apply_suggestions,
            )
        }  # fmt: skip

    async def __call__(
        self, scope: Scope, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        if not scope["path"].startswith(PREFIX):
            await self._github.server(scope, receive, send)
            return
        act = self._acts.get(scope["path"].removeprefix(PREFIX))
        given = await Request(scope, receive).body()
        try:
            answer = await anyio.to_thread.run_sync(act, json.loads(given or b"{}")) if act else None
            response = JSONResponse(answer, 200 if act else 404)
        except (AssertionError, LookupError, TypeError, ValueError, httpx.TransportError) as error:
            response = JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)
        await response(scope, receive, send)

    def _app(self, _: JSON) -> JSON:
        return app_settings(self._github)

    def _create_repository(self, given: JSON) -> JSON:
        made = self._github.create_repository(given["full_name"], _files(given.get("base")), private=given.get("private", True))
        return {"id": made.id, "full_name": made.full_name}

    def _import_repository(self, given: JSON) -> JSON:
        name, source, private = given["full_name"], Path(given["source"]), given.get("private", True)
        made = self._github.import_repository(name, source, given["base"], private=private)
        return {"id": made.id, "full_name": made.full_name}

    def _install(self, given: JSON) -> JSON:
        return {"id": self._github.install(given["account"]).id}

    def _open_pull_request(self, given: JSON) -> JSON:
        files: dict[str, Any] = {name: _files(given.pop(name, None)) for name in ("head", "base")}
        pull = self._github.open_pull_request(given.pop("repository"), **files, **given)
        return {"number": pull.number, "head_sha": pull.head_sha}

    def _push(self, given: JSON) -> JSON:
        return {"head_sha": self._github.push(self._pull(given), _files(given["files"]) or {}, force=given.get("force", False))}

    def _push_base(self, given: JSON) -> JSON:
        repository = self._github._repository(given["repository"])
        before = repository.branch(given.get("ref") or repository.default_branch) or NOWHERE
        files, force = _files(given["files"]) or {}, given.get("force", False)
        return {"before": before, "after": self._github.push_base(repository, files, given.get("ref"), force=force)}

    def _deliver_push(self, given: JSON) -> JSON:
        repository = self._github._repository(given["repository"])
        payload = self._github.push_payload(repository, given["before"], ref=given.get("ref"))
        answer = self._github.deliver(given["url"], "push", payload)
        return {"status": answer.status_code, "answer": answer.text}

    def _deliver(self, given: JSON) -> JSON:
        payload = self._pull(given).payload(given.get("action", "opened"))
        answer = self._github.deliver(given["url"], "pull_request", payload, delivery_id=given.get("delivery_id"))
        return {"status": answer.status_code, "answer": answer.text}

    def _state(self, given: JSON) -> JSON:
        pull, world = self._pull(given), self._github.world
        with world.lock:
            return {
                "reviews": [shapes_pull.review(world, pull, row) for row in pull.reviews.values()],
                "comments": [shapes_pull.comment(world, pull, row) for row in pull.comments.values()],
                "conversation": [shapes_pull.issue_comment(world, pull, row) for row in pull.talk.values()],
            }

    def _requests(self, _: JSON) -> JSON:
        names = ("method", "path", "query", "status", "seconds", "rest")
        return [{name: getattr(exchange, name) for name in names} for exchange in self._github.requests]

    def _fault(self, given: JSON) -> JSON:
        self._github.fault(**given)
        return {}

    def _apply_suggestions(self, given: JSON) -> JSON:
        pull = self._pull(given)
        return {str(comment.id): self._applied(comment) for comment in pull.comments.values() if "suggestion" in comment.body}

    def _applied(self, comment: Comment) -> JSON:
        try:
            return {"base64": base64.b64encode(self._github.apply_suggestion(comment)).decode()}
        except SuggestionRefused as refused:
            return {"refused": str(refused)}

    def _pull(self, given: JSON) -> PullRequest:
        return self._github.pull(given["repository"], given["number"])


def _files(given: JSON) -> Files | None:
    return None if given is None else {path: _content(content) for path, content in given.items()}


def _content(given: JSON) -> Content:
    return base64.b64decode(given["base64"]) if isinstance(given, dict) else given


def app_settings(github: SandboxGitHub) -> dict[str, str]:
    """The app's settings under the names that the product reads from its environment."""
    return {
        "GITHUB_API_URL": github.api_url,
        "GITHUB_WEB_URL": github.url,
        "GITHUB_APP_ID": github.app_id,
        "GITHUB_PRIVATE_KEY": github.private_key,
        "GITHUB_WEBHOOK_SECRET": github.webhook_secret,
    }
