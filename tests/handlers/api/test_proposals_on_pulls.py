"""Proposals of pull requests on the sandbox: one signed commit on the verified head, whatever is lost, repeated or refused."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from bot.wiring import open_context
from handlers.api import proposals as proposals_module
from handlers.jobs.apply_proposal import apply_proposal
from handlers.proposing import apply as apply_module
from tests.builders import git
from tests.builders_api import Api, Person, on_github, open_api
from tests.builders_proposals import (
    BAD,
    MENDED,
    a_repository,
    an_analyzed_pull,
    approved,
    proposed,
    while_working,
)
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.world import PERMISSIONS, Installation, PullRequest

pytestmark = pytest.mark.api

CRLF = BAD.replace(b"\n", b"\r\n")


@dataclass(slots=True)
class Story:
    """A maintainer, a pull request on the sandbox, and the approved proposal for it."""

    api: Api
    github: SandboxGitHub
    mona: Person
    pull: PullRequest
    installation: Installation
    head: str
    proposal: int

    @property
    def path(self) -> str:
        return f"/proposals/{self.proposal}"

    async def apply(self) -> httpx.Response:
        return await while_working(self.api, self.mona.put(f"{self.path}/apply", {"confirm": True}))

    async def refusal(self) -> str:
        """What is said to an attempt that fails; the proposal may be applied again afterwards."""
        answer = await self.apply()
        assert (answer.status_code, await self.state()) == (409, "failed"), answer.text
        self.api.sql("UPDATE proposals SET state = 'approved'")
        self.api.sql("DELETE FROM deliveries WHERE id LIKE 'apply-proposal-%%'")
        return str(answer.json()["error"]["message"])

    async def state(self) -> str:
        return str((await self.mona.get(self.path)).json()["data"]["state"])

    def commits(self) -> list[str]:
        """The subjects of what came onto the branch since, newest first."""
        return git(self.pull.repository.path, "log", "--format=%s", f"{self.head}..{self.pull.head_ref}").decode().splitlines()

    def asked(self) -> int:
        """How often a commit was asked for."""
        return sum("graphql" in exchange.path for exchange in self.github.requests)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply_module, "LOOKS", (0.01, 0.01))


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path, github: SandboxGitHub) -> AsyncIterator[Api]:
    async with open_api(database_url, redis_url, tmp_path, **on_github(github)) as opened:
        yield opened
        assert opened.bugs == []


@pytest.fixture
async def story(api: Api, github: SandboxGitHub) -> Story:
    tenant, installation = await a_repository(api, github, {"README.md": b"Hello\n", "old.py": b"x = 1\n"})
    mona = await api.person("mona")
    api.join(mona, tenant.organization_id, "maintainer")
    api.may_read(mona, tenant, "write")
    pull = github.open_pull_request("octo/app", {"app.py": BAD, "win.py": CRLF})
    analysis = await an_analyzed_pull(api, mona, pull)
    proposal = (await proposed(api, mona, analysis, title="Mend it"))["proposal_id"]
    await approved(mona, proposal)
    return Story(api, github, mona, pull, installation, pull.head_sha, proposal)


async def test_a_pull_request_gets_one_commit_with_the_bytes_that_were_looked_at(story: Story) -> None:
    answer = await story.apply()
    assert (answer.status_code, answer.json()["data"]["state"]) == (200, "applied"), answer.text
    assert answer.json()["data"]["commit_sha"] == story.pull.head_sha
    repository, head = story.pull.repository.path, story.pull.head_sha
    assert story.commits() == ["Mend it"]
    assert git(repository, "cat-file", "blob", f"{head}:app.py") == MENDED
    assert git(repository, "cat-file", "blob", f"{head}:win.py") == MENDED.replace(b"\n", b"\r\n")
    message = git(repository, "log", "-1", "--format=%B", head).decode()
    assert "F401 in app.py, line 1" in message
    assert f"RefactorIQ-Proposal: {story.proposal} " in message
    again = await story.mona.put(f"{story.path}/apply", {"confirm": True})
    assert (again.status_code, again.json()["error"]["details"]) == (409, {"state": "applied", "legal": []})


@pytest.mark.fault
@pytest.mark.parametrize("fault", ["lose_answer", "502"])
async def test_a_commit_whose_answer_was_lost_is_found(story: Story, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposals_module, "PATIENCE", 2.0)
    story.github.fault("POST", "graphql", fault, times=5)
    answer = await story.apply()
    if fault == "502":  # nothing was done: it is put off, and made by the next try
        assert answer.status_code == 202
        story.github.server.faults.clear()
        await _again(story)
    assert await story.state() == "applied"
    assert story.commits() == ["Mend it"]


@pytest.mark.fault
async def test_a_job_that_died_after_its_commit_finds_it_under_later_ones(story: Story) -> None:
    """As after kill -9: the commit stands, and nothing of it is written down."""
    await story.apply()
    story.api.sql("UPDATE proposals SET state = 'applying', commit_sha = ''")
    made = story.pull.head_sha
    story.github.push(story.pull, {"README.md": "More\n"})
    story.github.close(story.pull, merged=True)
    await _again(story)
    assert await story.state() == "applied"
    assert (await story.mona.get(story.path)).json()["data"]["commit_sha"] == made
    assert story.commits()[1:] == ["Mend it"]
    assert story.asked() == 1


@pytest.mark.fault
async def test_two_workers_at_once_make_one_commit(story: Story) -> None:
    story.github.fault("POST", "graphql", "slow", times=2, seconds=0.3)
    story.api.sql("UPDATE proposals SET state = 'applying'")
    await asyncio.gather(_again(story), _again(story))
    assert await story.state() == "applied"
    assert story.commits() == ["Mend it"]
    assert story.asked() == 2


async def test_a_head_that_moved_on_is_left_alone(story: Story) -> None:
    story.github.push(story.pull, {"app.py": "x = 1\n"})
    answer = await story.apply()
    assert answer.status_code == 409
    assert "has moved on to" in answer.json()["error"]["message"]
    assert await story.state() == "failed"
    assert "Mend it" not in story.commits()
    assert (await story.mona.get(f"{story.path}/patch")).status_code == 200


@pytest.mark.fault
async def test_a_commit_that_only_looks_like_ours_is_not_taken_for_it(story: Story) -> None:
    forged = f"RefactorIQ-Proposal: {story.proposal} {'0' * 32}"
    story.github.push(story.pull, {"forged.txt": forged})
    repository = story.pull.repository.path
    tree = git(repository, "rev-parse", f"{story.pull.head_sha}^{{tree}}").decode().strip()
    made = git(
        repository, "-c", "user.name=m", "-c", "user.email=m@example.com", "commit-tree", tree, "-p", story.head, "-m", forged
    )
    story.pull.head_sha = made.decode().strip()
    story.github._point(story.pull)
    answer = await story.apply()
    assert "has moved on to" in answer.json()["error"]["message"]


async def test_what_github_or_we_refuse_is_a_sentence_and_no_commit(story: Story) -> None:
    story.github.close(story.pull)
    assert await story.refusal() == "The pull request is closed: nothing is committed to it. The patch can be downloaded."
    assert story.asked() == 0
    story.github.reopen(story.pull)
    story.pull.repository.protected.add(story.pull.head_ref)
    assert await story.refusal() == "GitHub says: Changes must be made through a pull request."
    story.installation.permissions = dict(PERMISSIONS)
    story.github.revoke_tokens()
    assert "`contents: write`: grant it in the app's settings" in await story.refusal()
    assert story.commits() == []


async def test_an_app_cannot_push_to_a_fork(api: Api, github: SandboxGitHub) -> None:
    tenant, _ = await a_repository(api, github, {"README.md": b"Hello\n"})
    mona = await api.person("mona")
    api.join(mona, tenant.organization_id, "maintainer")
    api.may_read(mona, tenant, "write")
    pull = github.open_pull_request("octo/app", {"app.py": BAD}, fork=github.fork("octo/app", "mona"))
    proposal = (await proposed(api, mona, await an_analyzed_pull(api, mona, pull)))["proposal_id"]
    await approved(mona, proposal)
    answer = await while_working(api, mona.put(f"/proposals/{proposal}/apply", {"confirm": True}))
    assert (answer.status_code, "from a fork" in answer.json()["error"]["message"]) == (409, True)
    assert (await mona.get(f"/proposals/{proposal}/patch")).status_code == 200


async def test_a_pull_request_that_moved_on_before_cannot_be_proposed_for(story: Story) -> None:
    analysis = (await story.mona.get(story.path)).json()["data"]["analysis_id"]
    story.github.push(story.pull, {"app.py": "x = 1\n"})
    late = await proposed(story.api, story.mona, analysis)
    assert late["state"] == "failed"
    assert "has moved on to" in late["message"]


async def test_a_repository_at_a_ref_gets_a_patch_only(story: Story) -> None:
    story.github.push_base("octo/app", {"old.py": BAD})
    asked = await story.mona.post("/analyses", {"repository": "octo/app", "ref": "main"})
    await story.api.work()
    analysis = asked.json()["data"]["analysis_id"]
    wish = {"analysis_id": analysis, "issues_to_fix": "all", "auto_apply": True}
    assert (await story.mona.post("/proposals", wish)).status_code == 422
    story.github.push_base("octo/app", {"old.py": b"x = 2\n"})
    proposal = await proposed(story.api, story.mona, analysis)
    assert (proposal["state"], proposal["changes"][0]["file"]) == ("proposed", "old.py")
    await approved(story.mona, proposal["proposal_id"])
    answer = await story.mona.put(f"/proposals/{proposal['proposal_id']}/apply", {"confirm": True})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")


async def _again(story: Story) -> None:
    """The job as it comes back from the queue."""
    organization = story.api.sql("SELECT organization_id FROM proposals WHERE id = %s", (story.proposal,))[0][0]
    given = {"delivery_id": "again", "organization_id": organization, "proposal_id": story.proposal}
    async with open_context(story.api.settings) as context:
        await apply_proposal(context, given)


async def test_no_role_of_ours_commits_for_somebody_whom_github_lets_only_read(story: Story) -> None:
    story.api.sql("UPDATE repository_readers SET permission = 'read' WHERE user_id = %s", (story.mona.id,))
    answer = await story.apply()
    assert (answer.status_code, answer.json()["error"]["details"]) == (403, {"needed": "write", "on": "GitHub"})
    assert (story.commits(), await story.state()) == ([], "approved")
