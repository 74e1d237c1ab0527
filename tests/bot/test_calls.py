"""What one review costs: at most six REST calls, whatever the size of the change and of the conversation."""

from pathlib import Path

import pytest

from bot.git.cache import Repositories
from bot.git.fetching import Fetcher
from bot.github.client import Client
from bot.github.host import GitHubHost
from bot.github.http import Http
from bot.github.identity import Identity, MemoryCache
from bot.source import GitHubSource, Web
from handlers.publish import Thread
from review.change import End
from review.marker import Marker
from review.review import Comment, Review
from tests.sandbox import world
from tests.sandbox.github import SandboxGitHub

pytestmark = pytest.mark.integration

PULL = "/repos/octo/app/pulls/1"


async def review_it(github: SandboxGitHub, installation: int, folder: Path) -> None:
    """Everything that a job asks of GitHub, in a process that knows nothing yet."""
    async with Http(github.api_url) as http:
        client = Client(http, Identity(http, github.app_id, github.private_key, cache=MemoryCache()))
        host, source = GitHubHost(client), GitHubSource(Fetcher(Repositories(folder)), client, Web(github.url))
        pull = await host.pull_request(installation, "octo/app", 1)
        change = await source.change(installation, pull)
        await source.rules(installation, pull)
        paths = [file.path for file in change.diff.files]
        for end in End:
            await change.checkout.read(end, [*paths, "README.md"])
        thread = Thread(host, installation, pull, Marker(b"key", pull.repository.id, 1, pull.base_ref))
        await thread.look()
        first = sorted(change.diff.files[0].added_numbers())[0]
        await thread.post(Review(pull.head_sha, "Hello", (Comment(paths[0], first, "Look."),)))


@pytest.mark.parametrize(("files", "lines"), [(1, 1), (350, 1), (20, 1_200)])
async def test_a_review_costs_five_calls_whatever_the_size_of_the_change(
    github: SandboxGitHub, tmp_path: Path, files: int, lines: int
) -> None:
    repository = github.create_repository("octo/app", {"README.md": "Hello\n"})
    installation = github.install("octo")
    github.open_pull_request(repository, {f"f{n}.py": f"x = {n}\n" * lines for n in range(files)})
    await review_it(github, installation.id, tmp_path / "cache")
    assert [f"{one.method} {one.path}" for one in github.rest_requests] == [
        f"POST /app/installations/{installation.id}/access_tokens", f"GET {PULL}", f"GET {PULL}/reviews", f"GET {PULL}",
        f"POST {PULL}/reviews",
    ]  # fmt: skip


@pytest.mark.parametrize(("reviews", "calls"), [(99, 5), (100, 5), (101, 6), (190, 6), (250, 6), (999, 6)])
async def test_many_reviews_of_others_make_it_six(github: SandboxGitHub, tmp_path: Path, reviews: int, calls: int) -> None:
    repository = github.create_repository("octo/app", {"README.md": "Hello\n"})
    installation = github.install("octo")
    pull = github.open_pull_request(repository, {"f.py": "x = 1\n"})
    for _ in range(reviews):
        number = next(github.world.ids)
        pull.reviews[number] = world.Review(number, pull.user, "Nice", "COMMENTED", pull.head_sha, "2026-01-01T00:00:00Z")
    await review_it(github, installation.id, tmp_path / "cache")
    assert len(github.rest_requests) == calls
