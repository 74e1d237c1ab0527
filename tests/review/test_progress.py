"""Progress: percentages that only rise, from the first file read to the last one verified."""

from dataclasses import replace
from itertools import pairwise

import pytest

from review.analyzers import ANALYZERS as ALL
from review.change import End
from review.progress import ANALYZERS, DONE, MODELS, READING, VERIFYING, Rising
from review.providers.provider import Provider
from review.reviewer import Reviewer
from review.rules import ReadRules
from tests.builders_models import a_change, as_bytes
from tests.review.asking import many_files
from tests.review.test_injections import Files
from tests.sandbox.models import SandboxModels

pytestmark = pytest.mark.integration


def test_steps_that_end_in_any_order_never_take_the_percentage_back() -> None:
    told: list[tuple[int, str]] = []
    rising = Rising(lambda percent, message: told.append((percent, message)))
    first, second = rising.files(10, 30), rising.files(30, 90)
    second(0.5, "b.py")
    first(0.5, "a.py")
    rising.reached(1_000, "Done.")
    assert told == [(60, "Analyzing b.py..."), (60, "Analyzing a.py..."), (DONE, "Done.")]


async def test_a_review_tells_of_reading_of_every_file_and_of_verifying(
    models: SandboxModels, providers: tuple[Provider, ...]
) -> None:
    head = many_files(3)
    told: list[tuple[int, str]] = []
    models.answer(findings=[])
    reviewer = Reviewer(analyzers=tuple(analyzer() for analyzer in ALL), providers=providers)
    checkout = Files({End.HEAD: as_bytes(head), End.BASE: {}})
    change = replace(a_change({}, head), checkout=checkout)
    await reviewer.review(change, ReadRules(), progress=lambda percent, message: told.append((percent, message)))
    assert told[0] == (READING, "Reading the files...")
    assert told[-1] == (VERIFYING, "Verifying what was found...")
    assert all(earlier <= later for (earlier, _), (later, _) in pairwise(told))
    assert {message for _, message in told[1:-1]} == {f"Analyzing {path}..." for path in head}
    percents = {percent for percent, _ in told[1:-1]}
    assert min(percents) == ANALYZERS
    # A third of the way through the models for each of the three pieces.
    assert {MODELS, MODELS + (VERIFYING - MODELS) // 3} < percents
