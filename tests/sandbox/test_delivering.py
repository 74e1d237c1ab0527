"""Webhooks of the sandbox: GitHub's own schema, its signature, its ten seconds, its redelivery under the old id."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.sandbox import payloads
from tests.sandbox.app_key import AppKey
from tests.sandbox.conftest import Octo, app_jwt
from tests.sandbox.contract import Contract
from tests.sandbox.delivering import NOWHERE
from tests.sandbox.serving import Serving

pytestmark = pytest.mark.integration


class Receiver:
    """Remembers what it is sent."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self._serving = Serving(Starlette(routes=[Route("/hook", self._take, methods=["POST"])]))
        self.url = self._serving.start() + "/hook"

    async def _take(self, request: Request) -> Response:
        self.got.append((dict(request.headers), await request.body()))
        return Response("ok", 202)

    def stop(self) -> None:
        self._serving.stop()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.stop()


def test_the_signature_is_that_of_githubs_own_example() -> None:
    signature = payloads.sign("It's a Secret to Everybody", b"Hello, World!")
    assert signature == "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def test_a_delivery_is_signed_named_and_remembered(octo: Octo, receiver: Receiver) -> None:
    answer = octo.github.deliver(receiver.url, "pull_request", octo.pull.payload(), delivery_id="one")
    headers, body = receiver.got[0]
    assert answer.status_code == 202
    assert (headers["x-github-event"], headers["x-github-delivery"]) == ("pull_request", "one")
    assert headers["x-hub-signature-256"] == payloads.sign(octo.github.webhook_secret, body)
    assert json.loads(body)["pull_request"]["head"]["sha"] == octo.pull.head_sha
    assert [(row.guid, row.status_code) for row in octo.github.world.deliveries] == [("one", 202)]


def test_a_redelivery_by_the_api_keeps_its_id(octo: Octo, receiver: Receiver, bare: httpx.Client, app_key: AppKey) -> None:
    octo.github.deliver(receiver.url, "ping", octo.github.ping_payload(), delivery_id="one")
    bare.headers["authorization"] = f"Bearer {app_jwt(app_key)}"
    rows = bare.get("/app/hook/deliveries").json()
    assert bare.get(f"/app/hook/deliveries/{rows[0]['id']}").json()["request"]["payload"]["hook_id"] == 9001
    assert bare.post(f"/app/hook/deliveries/{rows[0]['id']}/attempts").status_code == 202
    octo.github.stop()
    assert [headers["x-github-delivery"] for headers, _ in receiver.got] == ["one", "one"]


def test_a_receiver_that_is_away_is_a_failed_delivery(octo: Octo) -> None:
    with pytest.raises(httpx.ConnectError):
        octo.github.deliver("http://127.0.0.1:9/hook", "ping", octo.github.ping_payload())
    assert octo.github.world.deliveries[0].status_code == 0


def test_payloads_are_as_github_describes_them(octo: Octo, github_contract: Contract | None) -> None:
    if github_contract is None:
        pytest.skip("GitHub's OpenAPI description could not be fetched")
    pull, github = octo.pull, octo.github
    for action in ("opened", "reopened", "ready-for-review", "converted-to-draft", "closed"):
        wrong = github_contract.check(f"webhook-pull-request-{action}", pull.payload(action.replace("-", "_")))
        assert real(wrong, action) == []
    pushed = pull.payload("synchronize", before="0" * 40, after=pull.head_sha)
    edited = pull.payload("edited", changes={"base": {"ref": {"from": "main"}, "sha": {"from": pull.base_sha}}})
    assert real(github_contract.check("webhook-pull-request-synchronize", pushed), "synchronize") == []
    assert real(github_contract.check("webhook-pull-request-edited", edited), "edited") == []
    for action in ("created", "deleted", "suspend", "unsuspend"):
        octo.installation.suspended = action == "suspend"
        payload = github.installation_payload(octo.installation, action)
        assert real(github_contract.check(f"webhook-installation-{action}", payload), action) == []
    octo.installation.suspended = False
    moved = github.installation_repositories_payload(octo.installation, [octo.repository])
    assert real(github_contract.check("webhook-installation-repositories-added", moved), "added") == []


def test_a_push_tells_what_moved_and_how(octo: Octo, github_contract: Contract | None) -> None:
    github, repository = octo.github, octo.repository
    before = str(repository.branch("main"))
    first, second = github.push_base(repository, {"a.py": "1\n"}), github.push_base(repository, {"b.py": "1\n"})
    plain = github.push_payload(repository, before)
    assert (plain["ref"], plain["before"], plain["after"]) == ("refs/heads/main", before, second)
    assert [commit["id"] for commit in plain["commits"]] == [first, second]
    assert [plain[word] for word in ("created", "deleted", "forced")] == [False, False, False]
    assert plain["repository"]["default_branch"] == "main"
    assert plain["installation"]["id"] == octo.installation.id
    third = github.push_base(repository, {"c.py": "1\n"}, force=True)
    forced = github.push_payload(repository, second)
    assert (forced["after"], forced["forced"], forced["created"]) == (third, True, False)
    github.push_base(repository, {"d.py": "1\n"}, "side")
    made = github.push_payload(repository, NOWHERE, ref="side")
    assert (made["ref"], made["created"], made["forced"]) == ("refs/heads/side", True, False)
    github.delete_branch(repository, "side")
    gone = github.push_payload(repository, made["after"], ref="side")
    assert (gone["after"], gone["deleted"], gone["head_commit"]) == (NOWHERE, True, None)
    for payload in (plain, forced, made, gone) if github_contract else ():
        assert github_contract is not None
        assert real(github_contract.check("webhook-push", payload), payload["ref"]) == []


def real(wrong: list[str], about: Any) -> list[str]:
    return [f"{about}: {sentence}" for sentence in wrong]
