"""Where the default branch comes from: git, whatever our records call it; and why it does not come, told apart."""

import pytest
import structlog

from handlers.host import Gone
from review.errors import TryAgain
from review.pull_request import Repository
from tests.bot.conftest import Octo

pytestmark = pytest.mark.integration


def the_repository(octo: Octo, default_branch: str = "main") -> Repository:
    return Repository(octo.repository.id, octo.repository.full_name, default_branch=default_branch)


async def test_the_default_branch_comes_whatever_our_records_call_it(octo: Octo) -> None:
    octo.hold_still()
    tree = await octo.source.branch(octo.installation.id, the_repository(octo, "was-renamed"))
    assert tree.sha == octo.repository.branch("main")
    assert {file.path for file in await tree.files()} == {".refactoriq.yml", "app.py", "lib.py"}
    (asked,) = octo.rest()
    assert asked.endswith("/access_tokens"), "the API is asked for nothing else"


async def test_a_repository_without_commits_is_gone_with_a_reason(octo: Octo) -> None:
    octo.repository = octo.github.create_repository("octo/empty")
    with pytest.raises(Gone, match="octo/empty has no commits yet"):
        await octo.source.branch(octo.installation.id, the_repository(octo))


async def test_the_branch_of_a_deleted_repository_or_installation_is_gone(octo: Octo) -> None:
    repository = the_repository(octo)
    await octo.source.branch(octo.installation.id, repository)
    octo.github.delete_repository(octo.repository)
    with pytest.raises(Gone):
        await octo.source.branch(octo.installation.id, repository)
    octo.installation.removed = True
    with pytest.raises(Gone):
        await octo.source.branch(octo.installation.id, repository)


async def test_a_token_revoked_since_is_renewed_once_for_the_branch(octo: Octo) -> None:
    await octo.source.branch(octo.installation.id, the_repository(octo))
    octo.github.revoke_tokens()
    octo.hold_still()
    assert (await octo.source.branch(octo.installation.id, the_repository(octo))).sha == octo.repository.branch("main")
    assert sum("access_tokens" in asked for asked in octo.rest()) == 1


async def test_a_stumble_of_git_does_not_cost_the_branch(octo: Octo) -> None:
    octo.github.fault("*", "info/refs", "503")
    assert (await octo.source.branch(octo.installation.id, the_repository(octo))).sha == octo.repository.branch("main")


@pytest.mark.parametrize(
    ("kind", "said"),
    [("503", "git did not get through"), ("html", "git did not get through"), ("403", "git was not let into")],
)
async def test_a_branch_that_git_does_not_reach_is_for_later(octo: Octo, kind: str, said: str) -> None:
    octo.without_git(kind)
    with structlog.testing.capture_logs() as logs, pytest.raises(TryAgain, match=said):
        await octo.source.branch(octo.installation.id, the_repository(octo))
    assert await octo.client.identity.token(octo.installation.id) not in str(logs)
    assert [entry["repository"] for entry in logs if entry["event"] == "git_failed"] == ["octo/app"]
