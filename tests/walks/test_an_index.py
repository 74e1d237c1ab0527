"""From the installation to the prompt: indexed in the background, a repository shows a model the callers of what changed."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from storage.deliveries import RememberedDelivery
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.models import SandboxModels
from tests.sandbox.world import Installation, PullRequest, Repository
from tests.walks.conftest import KEYS
from tests.walks.house import House, environment, open_house

pytestmark = pytest.mark.walk

TAX = '"""Taxes."""\n\nRATE = 0.2\n\n\ndef add_tax(amount):\n    """With the tax."""\n    return amount * (1 + RATE)\n'
SHOP = {
    "shop/tax.py": TAX,
    "shop/cart.py": (
        '"""A cart."""\n\nfrom shop.tax import add_tax\n\n\ndef total_of_cart(prices):\n    """What the customer pays."""\n'
        "    return add_tax(sum(prices))\n"
    ),
    "shop/label.py": '"""Labels."""\n\n\ndef print_label(name):\n    return name.strip().title()\n',
    "README.md": "# Shop\n",
}
CHANGED = {"shop/tax.py": TAX.replace("(amount)", "(amount, rate)").replace("1 + RATE", "1 + rate")}
CALLER = "return add_tax(sum(prices))"


@dataclass(frozen=True, slots=True)
class Shop:
    """A repository in which everything is, and its installation, of which nobody has been told yet."""

    house: House
    repository: Repository
    held: Installation

    async def installed(self) -> RememberedDelivery:
        """The app is installed there; gives what became of that delivery, with all jobs that it led to done."""
        return await self.house.settle(
            await self.house.deliver("installation", self.house.github.installation_payload(self.held))
        )

    async def pushed(self, files: dict[str, str | None], *, force: bool = False) -> RememberedDelivery:
        """A push to the default branch, and what became of it."""
        github, before = self.house.github, self.repository.branch("main")
        github.push_base(self.repository, files, force=force)
        return await self.house.settle(await self.house.deliver("push", github.push_payload(self.repository, str(before))))

    async def reviewed(self, files: dict[str, str] = CHANGED) -> tuple[PullRequest, str]:
        """A pull request with its review, and the prompt that a model was asked with."""
        pull = self.house.github.open_pull_request(self.repository, files)
        asked = len(self.house.models.requests)
        row = await self.house.review(pull)
        assert row.state == "done", row.outcome
        return pull, self.house.models.requests[asked].prompt


def a_shop(house: House, owner: str = "octo", files: dict[str, str] = SHOP) -> Shop:
    repository = house.github.create_repository(f"{owner}/shop", files)
    return Shop(house, repository, house.github.install(owner))


@pytest.fixture
def shop(thinking_house: House) -> Shop:
    return a_shop(thinking_house)


def jobs(house: House) -> list[tuple[str, str]]:
    """The jobs that we put ourselves: each one's state and outcome."""
    return house.sql("SELECT state, outcome FROM deliveries WHERE event = 'refactoriq' ORDER BY sequence")  # type: ignore[return-value]


def paths(house: House) -> list[str]:
    return [path for (path,) in house.sql("SELECT path FROM code_files ORDER BY path")]


async def test_what_is_installed_is_indexed_and_the_next_review_shows_the_callers(shop: Shop) -> None:
    house = shop.house
    row = await shop.installed()
    assert row.outcome == "The app is installed on octo, with 1 repository named. 1 repository to be indexed."
    [(state, outcome)] = jobs(house)
    assert state == "done"
    assert outcome.startswith(f"Indexed octo/shop at {str(shop.repository.branch('main'))[:7]}: 3 files, ")
    assert paths(house) == ["shop/cart.py", "shop/label.py", "shop/tax.py"]
    _, prompt = await shop.reviewed()
    assert CALLER in prompt
    assert "shop/cart.py" in prompt
    assert "`add_tax`" in prompt, "it says why it is there"
    assert "print_label" not in prompt, "what has nothing to do with it stays out"
    page = (await house.client.get("/api/v1/health/metrics")).text
    assert prompt.count("\n### C") == 1
    assert "refactoriq_context_places_total 1.0" in page
    assert "refactoriq_context_places_cited_total 0.0" in page


async def test_what_is_shown_stands_so_at_the_base_of_the_change_whatever_the_branch_holds_by_now(shop: Shop) -> None:
    await shop.installed()
    pull = shop.house.github.open_pull_request(shop.repository, CHANGED)
    row = await shop.pushed({"shop/cart.py": SHOP["shop/cart.py"].replace("sum(prices)", "round(sum(prices))")})
    assert "; 1 parsed" in row.outcome
    await shop.house.review(pull)
    prompt = shop.house.models.requests[-1].prompt
    assert CALLER in prompt
    assert "round(sum(prices))" not in prompt


async def test_a_push_parses_what_changed_and_takes_away_what_was_deleted(shop: Shop) -> None:
    await shop.installed()
    row = await shop.pushed({"shop/label.py": None, "shop/more.py": "def more():\n    return 1\n"})
    assert row.state == "done"
    assert "3 files, " in row.outcome
    assert "; 1 parsed" in row.outcome
    assert paths(shop.house) == ["shop/cart.py", "shop/more.py", "shop/tax.py"]
    assert shop.house.sql("SELECT count(*) FROM code_chunks WHERE text LIKE '%print_label%'") == [(0,)]


async def test_a_push_to_another_branch_indexes_nothing(shop: Shop) -> None:
    await shop.installed()
    github = shop.house.github
    before = github.push_base(shop.repository, {"x.py": "x = 1\n"}, ref="topic")
    row = await shop.house.settle(await shop.house.deliver("push", github.push_payload(shop.repository, before, ref="topic")))
    assert (row.state, "x.py" in paths(shop.house)) == ("ignored", False)


async def test_a_first_review_finds_the_callers_without_an_index_and_has_one_made(shop: Shop) -> None:
    _, prompt = await shop.reviewed()
    assert CALLER in prompt
    assert [state for state, _ in jobs(shop.house)] == ["done"]
    assert paths(shop.house) == ["shop/cart.py", "shop/label.py", "shop/tax.py"]


async def test_without_a_model_nothing_is_looked_for(house: House) -> None:
    shop = a_shop(house)
    row = await house.review(house.github.open_pull_request(shop.repository, CHANGED))
    assert row.state == "done"
    assert jobs(house) == []


async def test_rules_keep_the_other_code_from_the_models_and_leave_no_index(shop: Shop) -> None:
    await shop.installed()
    row = await shop.pushed({".refactoriq.yml": "context: false\n"})
    assert row.outcome.startswith("Nothing is indexed of octo/shop: `context: false` in `.refactoriq.yml`")
    assert paths(shop.house) == []
    _, prompt = await shop.reviewed()
    assert CALLER not in prompt


async def test_two_accounts_with_the_same_files_never_see_each_others(thinking_house: House) -> None:
    house = thinking_house
    octo = a_shop(house)
    theirs = {path: text.replace("total_of_cart", "total_of_theirs") for path, text in SHOP.items()}
    umbrella = a_shop(house, "umbrella", theirs)
    for shop in (octo, umbrella):
        await shop.installed()
    _, ours = await octo.reviewed()
    _, others = await umbrella.reviewed()
    assert ("total_of_cart" in ours, "total_of_theirs" in ours) == (True, False)
    assert ("total_of_cart" in others, "total_of_theirs" in others) == (False, True)


LEFT = (
    "SELECT (SELECT count(*) FROM code_indexes) + (SELECT count(*) FROM code_blobs) + (SELECT count(*) FROM code_chunks)"
    " + (SELECT count(*) FROM code_vectors) + (SELECT count(*) FROM code_files) + (SELECT count(*) FROM code_postings)"
    " + (SELECT count(*) FROM code_changesets) + (SELECT count(*) FROM code_changes)"
)


@pytest.mark.parametrize("how", ["uninstalled", "removed", "deleted"])
async def test_a_repository_that_left_leaves_no_row_behind(shop: Shop, how: str) -> None:
    house, github = shop.house, shop.house.github
    await shop.installed()
    await shop.pushed({"shop/more.py": "x = 1\n"})
    assert house.sql(LEFT) != [(0,)]
    if how == "uninstalled":
        await house.settle(await house.deliver("installation", github.installation_payload(shop.held, "deleted")))
    elif how == "removed":
        payload = github.installation_repositories_payload(shop.held, removed=[shop.repository])
        await house.settle(await house.deliver("installation_repositories", payload))
    else:
        payload = github.push_payload(shop.repository, "0" * 40) | {"action": "deleted", "ref": None, "after": None}
        await house.settle(await house.deliver("repository", payload))
    assert house.sql(LEFT) == [(0,)]
    late = await house.settle(await house.deliver("push", github.push_payload(shop.repository, "0" * 40)))
    assert late.outcome == "Skipped: the app was removed from this account or repository."
    assert house.sql(LEFT) == [(0,)]


async def test_a_history_that_is_rewritten_while_it_is_indexed_ends_in_the_newest_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from handlers.indexing import index

    listed = index.list_files
    house, github = shop.house, shop.house.github

    async def pushed_over_meanwhile(tree: object) -> object:
        monkeypatch.setattr(index, "list_files", listed)
        before = str(shop.repository.branch("main"))
        github.push_base(shop.repository, {"other.py": "def other():\n    return 2\n"}, force=True)
        await house.deliver("push", github.push_payload(shop.repository, before))
        return await listed(tree)  # type: ignore[arg-type]

    monkeypatch.setattr(index, "list_files", pushed_over_meanwhile)
    row = await shop.pushed({"shop/more.py": "x = 1\n"})
    assert row.state == "done"
    await house.work()
    [(commit,)] = house.sql("SELECT commit_sha FROM code_indexes")
    assert commit == str(shop.repository.branch("main"))
    assert "other.py" in paths(house)


async def test_an_embedder_that_is_away_costs_only_the_vectors_and_they_come_later(
    github: SandboxGitHub, models: SandboxModels, emptied_database_url: str, redis_url: str, tmp_path: Path, quick: None
) -> None:
    given = environment(github, models, emptied_database_url, redis_url, tmp_path / "data", **KEYS, EMBEDDER="openai")
    async with open_house(github, models, given) as house:
        shop = a_shop(house)
        fault = models.fault("401", times=100)
        await house.deliver("installation", github.installation_payload(shop.held))
        await house.work()
        [(state, outcome)] = jobs(house)
        assert (state, len(paths(house))) == ("retrying", 3)
        assert "Some have no vectors yet: " in outcome
        fault.times = 0
        [id] = house.put_off
        assert (await house.settle(id)).outcome.startswith("Indexed octo/shop")
        assert house.sql("SELECT DISTINCT model FROM code_vectors") == [("openai/text-embedding-3-small/384",)]
