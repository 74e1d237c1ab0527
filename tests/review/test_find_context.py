"""Each part of a change is shown with a few other places, within its budget; what fails there costs the context alone."""

import asyncio
import threading
from dataclasses import dataclass, field, replace

import httpx2
import pytest

from review.analysis import ContextPlace, Dropped
from review.context.query import Query, query_of
from review.context.retrieved import Place, Retrieved
from review.diff import Diff
from review.errors import TryAgain
from review.find_context import MOST, MOST_OF_A_PIECE, cited_share, find_context, settled, size_of
from review.finding import Location, Side
from review.lines import line_texts
from review.models.pieces import Piece, cut_into_pieces
from review.models.shown import show
from review.providers.openai import OpenAI
from review.reviewer import Reviewer
from review.rules import ReadRules
from review.secrets.blank import blank_secrets
from tests.builders_context import a_place
from tests.builders_models import Texts, a_change, a_claim, as_bytes, numbered
from tests.builders_review import a_finding
from tests.builders_secrets import MADE_UP
from tests.review.asking import BASE, CLAIM, HEAD
from tests.review.test_injections import Files
from tests.sandbox.models import SandboxModels

pytestmark = pytest.mark.integration

WHY = "uses `share`, which the change alters"
CALLER = a_place("pay.py", 3, "def pay(sum):\n    return share(sum, 0)", symbol="pay", why=WHY)
AT = Location("pay.py", 3, 4, Side.LEFT)


@dataclass
class Found:
    """Stands where a Retriever stands: gives these places, waits, or fails; notes what it was asked."""

    places: tuple[Place, ...] = (CALLER,)
    fails: Exception | None = None
    seconds: float = 0.0
    asked: list[tuple[Query, Diff, int]] = field(default_factory=list)
    without: list[frozenset[str]] = field(default_factory=list)

    async def retrieve(
        self, query: Query, diff: Diff, *, budget_tokens: int, without: frozenset[str] = frozenset()
    ) -> Retrieved:
        self.asked.append((query, diff, budget_tokens))
        self.without.append(without)
        await asyncio.sleep(self.seconds)
        if self.fails:
            raise self.fails
        return Retrieved(places=self.places)


def pieces_of(base: Texts, head: Texts) -> list[Piece]:
    heads = as_bytes(head)
    return cut_into_pieces([show(f, line_texts(heads[f.path]), blank_secrets) for f in a_change(base, head).diff.files])[0]


async def found(base: Texts, head: Texts, retriever: Found) -> tuple[list[Piece], str]:
    change = a_change(base, head)
    return await find_context(pieces_of(base, head), change, change.diff, as_bytes(base), retriever, blank_secrets)  # type: ignore[arg-type]


async def test_a_small_change_gets_no_more_context_than_it_is_long() -> None:
    retriever = Found()
    (piece,), because = await found(BASE, HEAD, retriever)
    ((query, diff, budget),) = retriever.asked
    assert ([shown.place for shown in piece.context], because) == ([CALLER], "")
    assert (query.altered, diff, budget) == (frozenset({"share"}), a_change(BASE, HEAD).diff, size_of(diff))
    assert piece.tokens < budget < 100


async def test_a_large_change_grows_by_a_tenth_at_most() -> None:
    head = {f"{number}.py": numbered(1_000, f"value_{number} = compute_the_value_of") for number in range(10)}
    retriever = Found()
    pieces, _ = await found({}, head, retriever)
    budgets = [budget for _, _, budget in retriever.asked]
    assert len(budgets) == len(pieces) > 5
    assert max(budgets) <= MOST_OF_A_PIECE
    assert sum(budgets) <= min(MOST, sum(piece.tokens for piece in pieces) / 9)


async def test_a_piece_asks_about_its_own_files_and_hides_the_lines_of_all() -> None:
    head = {f"{number}.py": numbered(650, f"value_{number} = compute_the_value_of") for number in range(3)}
    retriever = Found()
    await found({}, head, retriever)
    assert sorted(query.paths for query, _, _ in retriever.asked) == [("0.py",), ("1.py",), ("2.py",)]
    assert {len(diff.files) for _, diff, _ in retriever.asked} == {3}


async def test_a_file_that_the_change_deletes_is_no_place_and_what_it_moves_is_not_lost() -> None:
    base = {"a.py": "total = add_tax(price)\n", "tax.py": "def add_tax(price):\n    return price\n"}
    head = {"a.py": "total = price\n", "levy.py": "def add_tax(price):\n    return price * 2\n"}
    whole = a_change(base, head)
    seen = replace(whole, diff=Diff(tuple(file for file in whole.diff.files if file.path == "a.py")))
    pieces = pieces_of(base, {**base, "a.py": head["a.py"]})
    retriever = Found()
    await find_context(pieces, seen, whole.diff, as_bytes(base), retriever, blank_secrets)  # type: ignore[arg-type]
    assert retriever.without == [frozenset({"tax.py", "levy.py"})]
    assert "add_tax" not in retriever.asked[0][0].lost


async def test_no_secret_of_the_change_gets_into_the_question() -> None:
    retriever = Found()
    token = MADE_UP["github-token"]
    await found({"a.py": "x = 1\n"}, {"a.py": f"x = '{token}'\n"}, retriever)
    assert token not in str(retriever.asked[0][0])


async def test_documentation_alone_needs_no_code() -> None:
    retriever = Found()
    (piece,), because = await found({"a.md": "old\n"}, {"a.md": "new\n"}, retriever)
    assert (piece.context, because, retriever.asked) == ((), "", [])


async def test_a_retriever_that_fails_or_is_late_costs_the_context_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    (piece,), because = await found(BASE, HEAD, Found(fails=TryAgain("Postgres is away.")))
    assert (piece.context, because) == ((), "Postgres is away.")
    monkeypatch.setattr("review.find_context.DEADLINE", 0.05)
    (piece,), because = await found(BASE, HEAD, Found(seconds=5))
    assert (piece.context, because) == ((), "it took longer than 0 s")


def a_context_place(location: Location = AT, **more: object) -> ContextPlace:
    return replace(ContextPlace(location.path, location.first_line, location.last_line, "", "", 10, 1), **more)  # type: ignore[arg-type]


def test_a_place_is_cited_by_what_is_posted_by_what_is_not_or_by_nothing() -> None:
    places = [a_context_place(Location(path, 1, 2, Side.LEFT)) for path in ("a", "b", "c", "d")]
    posted = a_finding(cites=(Location("a", 1, 2, Side.LEFT),))
    dropped = Dropped(a_finding(cites=(Location("b", 1, 2, Side.LEFT),)), "unwanted")
    after = settled(places, [posted], [dropped])
    assert [(place.cited, place.posted) for place in after] == [(True, True), (True, False), (False, False), (False, False)]
    assert cited_share(after) == 0.25
    assert cited_share(()) is None


@pytest.fixture
def server(models: SandboxModels) -> SandboxModels:
    return models


async def reviewed(server: SandboxModels, claim: dict[str, object], retriever: Found | None):  # type: ignore[no-untyped-def]
    change = a_change(BASE, HEAD)
    files = Files({"base": as_bytes(BASE), "head": as_bytes(HEAD)})  # type: ignore[dict-item]
    server.answer(findings=[claim])
    async with httpx2.AsyncClient(trust_env=False) as client:
        reviewer = Reviewer((), (OpenAI("sk-test", "gpt-5.1", server.openai_base_url, client),))
        return await reviewer.review(replace(change, checkout=files), ReadRules(), retriever=retriever)  # type: ignore[arg-type]


async def test_a_finding_says_which_places_it_depends_on(server: SandboxModels) -> None:
    analysis = await reviewed(server, {**CLAIM, "context": ["C1", "C7", "nonsense"]}, Found())
    (finding,) = analysis.findings
    assert finding.cites == (AT,)
    (place,) = analysis.context
    assert place == ContextPlace("pay.py", 3, 4, "pay", CALLER.why, place.tokens, 1, cited=True, posted=True)
    assert "### C1 pay.py:3-4 in pay: uses `share`, which the change alters\n| def pay(sum):" in server.requests[-1].prompt
    assert (analysis.partial, analysis.no_context, "context" in analysis.timings) == (False, "", True)


async def test_a_finding_may_not_stand_in_the_context(server: SandboxModels) -> None:
    claim = a_claim("pay.py", 4, "    return share(sum, 0)", message="It divides by zero.", context=["C1"])
    analysis = await reviewed(server, claim, Found())
    assert analysis.findings == ()
    assert [(item.because, item.finding.cites) for item in analysis.dropped] == [
        ("about a file that the model was not shown", (AT,))
    ]
    assert [(place.cited, place.posted) for place in analysis.context] == [(True, False)]


async def test_without_a_retriever_nothing_is_looked_for(server: SandboxModels) -> None:
    analysis = await reviewed(server, {**CLAIM, "context": ["C1"]}, None)
    assert (analysis.findings[0].cites, analysis.context, analysis.no_context) == ((), (), "")
    assert "\n| " not in server.requests[-1].prompt


async def test_a_review_with_a_failing_retriever_is_complete(server: SandboxModels) -> None:
    analysis = await reviewed(server, CLAIM, Found(fails=TryAgain("Postgres is away.")))
    assert len(analysis.findings) == 1
    assert (analysis.partial, analysis.notes, analysis.no_context) == (False, (), "Postgres is away.")


async def test_a_piece_is_parsed_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []

    def noted(diff: Diff, base: dict[str, bytes]) -> Query:
        threads.append(threading.current_thread())
        return query_of(diff, base)

    monkeypatch.setattr("review.find_context.query_of", noted)
    await found(BASE, HEAD, Found())
    assert threads
    assert threading.current_thread() not in threads
