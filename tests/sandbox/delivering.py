"""Webhooks of the sandbox's GitHub: signed, delivered once within ten seconds, remembered, delivered again only when asked."""

import json
import threading
import time
import uuid
from typing import Any

import httpx

from tests.sandbox import payloads
from tests.sandbox.world import HookDelivery, Installation, PullRequest, Repository, User, World

ANSWER_WITHIN = 10.0
"""Seconds that GitHub waits for a webhook's answer."""

NOWHERE = "0" * 40
"""In a `push` event: the branch was not there before, or is gone after."""


class Delivering:
    """Sends webhooks from the thread that asks for it."""

    world: World
    _threads: list[threading.Thread]

    def deliver(
        self,
        url: str,
        event: str,
        payload: dict[str, Any],
        secret: str | None = None,
        delivery_id: str | None = None,
        **headers: str,
    ) -> httpx.Response:
        """POST a signed webhook; gives the receiver's answer, raises httpx.TransportError where there is none.

        `secret` defaults to the app's, `delivery_id` to a new one; `headers` replace what GitHub would send.
        """
        guid = delivery_id or str(uuid.uuid4())
        body = json.dumps(payload, ensure_ascii=False).encode(errors="replace")
        sent = payloads.headers(self.world, event, guid, self.world.webhook_secret if secret is None else secret, body)
        return self._post(url, event, payload, guid, body, sent | headers)

    def deliver_pull_request(self, url: str, pull: PullRequest, action: str = "opened", **more: Any) -> httpx.Response:
        """The `pull_request` event of that action, as things stand now."""
        return self.deliver(url, "pull_request", pull.payload(action, **more))

    def installation_payload(self, held: Installation, action: str = "created") -> dict[str, Any]:
        with self.world.lock:
            return payloads.installation(self.world, held, action, self._sender(held))

    def installation_repositories_payload(
        self, held: Installation, added: list[Repository] | None = None, removed: list[Repository] | None = None
    ) -> dict[str, Any]:
        with self.world.lock:
            return payloads.installation_repositories(self.world, held, added or [], removed or [], self._sender(held))

    def push_payload(
        self, repository: Repository, before: str, after: str | None = None, ref: str | None = None, pusher: str = "mona"
    ) -> dict[str, Any]:
        """The `push` event of a branch (the default one unless told) that stood at `before`, and now where it stands."""
        with self.world.lock:
            branch = ref or repository.default_branch
            now = after or repository.branch(branch) or NOWHERE
            return payloads.push(self.world, repository, f"refs/heads/{branch}", before, now, self.world.user(pusher))

    def comment_payload(self, pull: PullRequest, comment: dict[str, Any], author: str = "mona") -> dict[str, Any]:
        """An `issue_comment.created` event; `comment` is the comment's JSON."""
        with self.world.lock:
            return payloads.issue_comment(self.world, pull, comment, "created", self.world.user(author))

    def ping_payload(self) -> dict[str, Any]:
        return payloads.ping(self.world)

    def _sender(self, held: Installation) -> User:
        return held.account if held.account.type == "User" else self.world.user("octo-admin")

    def _post(
        self, url: str, event: str, payload: dict[str, Any], guid: str, body: bytes, headers: dict[str, str]
    ) -> httpx.Response:
        started, status, words, answer = time.perf_counter(), 0, "failed to connect to host", ""
        try:
            response = httpx.post(url, content=body, headers=headers, timeout=ANSWER_WITHIN, trust_env=False)
            status, answer = response.status_code, response.text
            words = "OK" if response.is_success else f"Invalid HTTP Response: {status}"
            return response
        except httpx.TimeoutException:
            words = "timed out"
            raise
        finally:
            seconds = time.perf_counter() - started
            with self.world.lock:
                again = any(row.guid == guid for row in self.world.deliveries)
                row = HookDelivery(next(self.world.ids), guid, event, url, payload, status, words, seconds, answer, again)
                self.world.deliveries.append(row)

    def redeliver(self, row: HookDelivery) -> httpx.Response:
        """Deliver the same payload once more under its old id, as the button and the API do."""
        return self.deliver(row.url, row.event, row.payload, delivery_id=row.guid)

    def _redeliver_beside(self, row: HookDelivery) -> None:
        def attempt() -> None:
            try:
                self.redeliver(row)
            except httpx.TransportError:
                return  # remembered as a failed delivery, which is all that GitHub does about it

        self._threads.append(threading.Thread(target=attempt, daemon=True))
        self._threads[-1].start()
