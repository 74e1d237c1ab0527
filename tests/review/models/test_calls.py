"""Models fail in many ways: what may pass is asked again, what is too much is cut, and the next provider stands in."""

import asyncio
import time
from typing import Any

import pytest

from review.ask import UNANSWERED
from review.finding import Location
from review.models.pieces import AT_ONCE
from review.providers.provider import Provider
from tests.builders_models import a_claim, numbered
from tests.review.asking import PLACE, asked, calls, many_files, places
from tests.sandbox.models import SandboxModels

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("fault", ["429", "500", "503", "lose", "broken_body"])
async def test_what_may_pass_is_asked_again(models: SandboxModels, providers: tuple[Provider, ...], fault: str) -> None:
    models.fault(fault, seconds=0.1)
    result = await asked(providers)
    assert (places(result), calls(result)) == ([PLACE], [("openai", False), ("openai", True)])
    assert (result.notes, result.partial) == ((), False)


async def test_a_provider_that_says_when_to_come_back_is_not_asked_before(
    models: SandboxModels, providers: tuple[Provider, ...]
) -> None:
    models.fault("429", seconds=0.8)
    await asked(providers)
    first, second = models.requests
    assert second.started - first.ended >= 0.8


async def test_a_provider_that_wants_a_long_wait_is_left_for_the_next(
    models: SandboxModels, providers: tuple[Provider, ...]
) -> None:
    models.fault("429", seconds=60)
    result = await asked(providers, deadline=200)
    assert calls(result) == [("openai", False), ("anthropic", True)]
    assert result.notes == ("`anthropic` answered in place of `openai`: rate limited (429, request req_1).",)
    assert result.models == ("anthropic claude-sonnet-5-5",)
    assert not result.partial


@pytest.mark.parametrize(
    ("fault", "because"), [("401", "the API key was not accepted"), ("quota", "no quota left"), ("404", "no model `gpt-5.1`")]
)
async def test_a_refused_provider_is_replaced_and_not_asked_again(
    models: SandboxModels, providers: tuple[Provider, ...], fault: str, because: str
) -> None:
    models.fault(fault, 1_000, provider="openai")
    models.answer(findings=[])
    result = await asked(providers, {}, many_files(16))
    asked_first = [usage for usage in result.usage if usage.provider == "openai"]
    assert len(asked_first) <= AT_ONCE
    assert not any(usage.ok for usage in asked_first)
    assert [usage.ok for usage in result.usage if usage.provider == "anthropic"] == [True] * 16
    assert because in result.notes[0]
    assert not result.partial


async def test_refused_content_goes_to_the_next_provider_for_this_piece_alone(
    models: SandboxModels, providers: tuple[Provider, ...]
) -> None:
    models.fault("refusal")
    models.answer(findings=[])
    result = await asked(providers, {}, many_files(3))
    assert sorted(calls(result)) == [("anthropic", True), ("openai", False), ("openai", True), ("openai", True)]


@pytest.mark.parametrize("fault", ["malformed", "prose", "empty"])
async def test_an_unreadable_answer_is_asked_for_once_more_and_then_elsewhere(
    models: SandboxModels, providers: tuple[Provider, ...], fault: str
) -> None:
    models.fault(fault)
    assert calls(await asked(providers)) == [("openai", False), ("openai", True)]
    models.fault(fault, 2)
    result = await asked(providers)
    assert calls(result) == [("openai", False), ("openai", False), ("anthropic", True)]
    assert places(result) == [PLACE]
    assert result.usage[0].input_tokens > 0


async def test_a_cut_answer_about_little_gets_more_room(models: SandboxModels, providers: tuple[Provider, ...]) -> None:
    models.fault("cut")
    result = await asked(providers)
    assert (places(result), calls(result)) == ([PLACE], [("openai", False), ("openai", True)])
    rooms = [request.body["max_completion_tokens"] for request in models.requests]
    assert rooms[1] > rooms[0]


@pytest.mark.parametrize("fault", ["cut", "too_long"])
async def test_a_piece_that_is_too_much_is_asked_about_in_halves(
    models: SandboxModels, providers: tuple[Provider, ...], fault: str
) -> None:
    head = numbered(700, "value = compute_the_value_of")
    models.answer(
        lambda prompt: {
            "findings": [a_claim(line=n, quote=q) for n, q in [(2, "value = compute_the_value_of 2")] if q in prompt]
        }
    )
    models.fault(fault)
    result = await asked(providers, {}, {"app.py": head})
    assert calls(result) == [("openai", False), ("openai", True), ("openai", True)]
    whole, *halves = [request.prompt for request in models.requests]
    assert max(map(len, halves)) < len(whole) * 0.7
    assert {number for number in range(1, 701) if any(f"of {number}\n" in half for half in halves)} == set(range(1, 701))
    assert places(result)[0] == Location("app.py", 2, 2)
    assert not result.partial


async def test_a_context_that_never_suffices_ends_in_a_note(models: SandboxModels, providers: tuple[Provider, ...]) -> None:
    models.context_tokens = 700
    result = await asked(providers, {}, {"app.py": numbered(300)})
    assert (result.findings, result.models, result.partial) == ((), (), True)
    assert result.notes[0].startswith("No model answered: `openai`: the prompt is too long for `gpt-5.1`")


async def test_when_nobody_answers_the_reasons_are_told(models: SandboxModels, providers: tuple[Provider, ...]) -> None:
    models.fault("401", provider="openai")
    models.fault("quota", provider="anthropic")
    result = await asked(providers)
    assert (result.findings, result.models, result.partial, result.skipped) == ((), (), True, ())
    (note,) = result.notes
    assert note == (
        "No model answered: `openai`: the API key was not accepted (401, request req_1); "
        "`anthropic`: the account has no quota left (429, request req_2)."
    )


async def test_a_provider_that_stays_busy_is_not_asked_for_ever(models: SandboxModels, providers: tuple[Provider, ...]) -> None:
    models.fault("503", 1_000, seconds=0.05)
    result = await asked(providers)
    assert calls(result) == [("openai", False)] * 4 + [("anthropic", False)] * 4
    assert result.partial


async def test_the_files_of_a_piece_without_an_answer_are_named(models: SandboxModels, providers: tuple[Provider, ...]) -> None:
    def answer(prompt: str) -> Any:
        return "no JSON" if "=== 01.py" in prompt else {"findings": []}

    models.answer(answer)
    result = await asked(providers, {}, many_files(3))
    assert [(item.path, item.because) for item in result.skipped] == [("01.py", UNANSWERED)]
    assert result.partial
    assert result.notes[0].startswith("Models did not look at all of this change: `openai`: the answer was not the JSON")


async def test_a_first_provider_that_hangs_leaves_time_for_the_next(
    models: SandboxModels, providers: tuple[Provider, ...]
) -> None:
    models.fault("hang", 100, provider="openai")
    result = await asked(providers, deadline=2)
    assert (places(result), calls(result)) == ([PLACE], [("openai", False), ("anthropic", True)])
    assert result.notes == ("`anthropic` answered in place of `openai`: no answer within 1 s.",)


async def test_pieces_that_wait_in_line_behind_a_hanging_provider_go_to_the_next(
    models: SandboxModels, providers: tuple[Provider, ...]
) -> None:
    models.answer(findings=[])
    models.fault("hang", 100, provider="openai")
    result = await asked(providers, {}, many_files(AT_ONCE + 3), deadline=3)
    assert [usage.ok for usage in result.usage if usage.provider == "openai"] == [False] * AT_ONCE
    assert [usage.ok for usage in result.usage if usage.provider == "anthropic"] == [True] * (AT_ONCE + 3)
    assert not result.partial


async def test_at_the_deadline_what_there_is_comes_back(models: SandboxModels, providers: tuple[Provider, ...]) -> None:
    models.answer(findings=[])
    models.fault("hang", 1)
    started = time.perf_counter()
    result = await asked(providers[:1], {}, many_files(3), deadline=1)
    assert 0.9 < time.perf_counter() - started < 3
    assert sorted(calls(result)) == [("openai", False), ("openai", True), ("openai", True)]
    assert len(result.skipped) == 1
    assert result.partial
    assert "Models did not look at all of this change" in result.notes[0]


async def test_when_time_is_over_before_any_answer_the_note_says_so(
    models: SandboxModels, providers: tuple[Provider, ...]
) -> None:
    models.fault("hang", 100)
    result = await asked(providers, deadline=0.6)
    assert (result.findings, result.partial) == ((), True)
    assert result.notes[0].startswith("No model answered: `openai`: no answer within 0 s")


async def test_a_review_that_is_cancelled_ends_its_calls(models: SandboxModels, providers: tuple[Provider, ...]) -> None:
    models.fault("hang", 100)
    task = asyncio.create_task(asked(providers))
    while not models.requests:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)
