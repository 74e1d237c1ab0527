"""A change goes to the models and their findings come back, whatever goes wrong on the way."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from review.ask import LONG_LINES, PROSE, TOO_MUCH, UNANSWERED, ModelResult, ask_models
from review.change import Change
from review.finding import Location
from review.ground import NO_SUCH_CODE, OTHER_FILE
from review.pieces import MOST_TOKENS
from review.providers import Anthropic, OpenAI
from review.providers.provider import Provider
from review.secrets_blank import blank_secrets
from tests.builders_models import Texts, a_change, a_claim, as_bytes, numbered
from tests.sandbox.models import SandboxModels

pytestmark = pytest.mark.integration

BASE = {"app.py": "def share(sum, people):\n    return sum\n"}
HEAD = {"app.py": "def share(sum, people):\n    return sum / people\n"}
CLAIM = a_claim(line=2, quote="    return sum / people", message="Nobody divides by zero.")
PLACE = Location("app.py", 2, 2)


@pytest.fixture
async def providers(models: SandboxModels) -> AsyncIterator[tuple[Provider, ...]]:
    """OpenAI first and Anthropic behind it, on a model server that finds CLAIM in everything."""
    models.answer(findings=[CLAIM])
    both = (
        OpenAI("sk-test", "gpt-5.1", models.openai_base_url),
        Anthropic("sk-ant-test", "claude-sonnet-5-5", models.anthropic_base_url),
    )
    yield both
    for provider in both:
        await provider.close()


async def asked(
    providers: tuple[Provider, ...], base: Texts = BASE, head: Texts = HEAD, *, deadline: float = 20, **more: Any
) -> ModelResult:
    return await ask_models(a_change(base, head, **more), as_bytes(head), providers, deadline=deadline, blank=blank_secrets)


def places(result: ModelResult) -> list[Location]:
    return [finding.location for finding in result.findings]


def calls(result: ModelResult) -> list[tuple[str, bool]]:
    return [(usage.provider, usage.ok) for usage in result.usage]


def many_files(count: int, lines: int = 700) -> dict[str, str]:
    """New files that each need a piece of their own."""
    return {f"{place:02}.py": numbered(lines, f"value_{place} = compute_the_value_of") for place in range(count)}


async def test_a_finding_comes_back_with_its_source_and_its_cost(
    models: SandboxModels, providers: tuple[Provider, ...]
) -> None:
    result = await asked(providers)
    (finding,) = result.findings
    assert (finding.location, finding.source, finding.message) == (PLACE, "openai", "Nobody divides by zero.")
    assert (result.models, result.notes, result.partial, result.skipped) == (("openai gpt-5.1",), (), False, ())
    assert [usage.input_tokens for usage in result.usage] == [models.prompt_tokens]
    assert result.usage[0].output_tokens > 0


async def test_what_does_not_stand_in_the_code_is_dropped_and_the_rest_stays(
    models: SandboxModels, providers: tuple[Provider, ...]
) -> None:
    models.answer(findings=[CLAIM | {"quote": "return sum * people"}, CLAIM | {"path": "other.py"}, CLAIM])
    result = await asked(providers)
    assert places(result) == [PLACE]
    assert [item.because for item in result.dropped] == [NO_SUCH_CODE, OTHER_FILE]


async def test_an_item_of_another_form_is_counted_and_the_rest_stays(
    models: SandboxModels, providers: tuple[Provider, ...]
) -> None:
    models.answer(findings=[{"path": 1}, CLAIM])
    result = await asked(providers)
    assert (places(result), result.partial) == ([PLACE], False)
    assert result.notes == ("1 of the models' findings could not be read and was left out.",)


async def test_the_same_said_twice_is_said_once(models: SandboxModels, providers: tuple[Provider, ...]) -> None:
    models.answer(findings=[CLAIM, CLAIM])
    result = await asked(providers)
    assert (places(result), [item.because for item in result.dropped]) == ([PLACE], ["said twice"])


async def test_all_pieces_are_asked_about_at_once_with_the_same_instructions(
    models: SandboxModels, providers: tuple[Provider, ...]
) -> None:
    models.answer(findings=[])
    models.delay_seconds = 0.5
    head = many_files(5)
    started = time.perf_counter()
    result = await asked(providers, {}, head)
    assert len(models.requests) == 5
    assert time.perf_counter() - started < 2.0
    assert len({request.body["messages"][0]["content"] for request in models.requests}) == 1
    assert (len(result.usage), result.partial) == (5, False)


async def test_a_finding_about_another_pieces_file_is_dropped(models: SandboxModels, providers: tuple[Provider, ...]) -> None:
    models.answer(findings=[a_claim("00.py", 1, "value_0 = compute_the_value_of 1")])
    result = await asked(providers, {}, many_files(2))
    assert places(result) == [Location("00.py", 1, 1)]
    assert [item.because for item in result.dropped] == [OTHER_FILE]


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
    assert len(asked_first) <= 12
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


async def test_no_secret_is_sent(models: SandboxModels, providers: tuple[Provider, ...]) -> None:
    token = "ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8"
    head = {"app.py": f"token = '{token}'\n"}
    await asked(providers, {}, head, title=token, description=f"It is {token}")
    assert "token = '" in models.requests[0].prompt
    assert token not in models.requests[0].prompt


async def test_lines_without_end_and_files_without_number_are_named(
    models: SandboxModels, providers: tuple[Provider, ...]
) -> None:
    models.answer(findings=[])
    huge = f"{'x' * 990}\n" * (MOST_TOKENS // 270)
    result = await asked(providers, {}, {"a.js": "x" * 5_000 + "\n", "data.csv": huge, "docs.md": "text\n"})
    assert {(item.path, item.because) for item in result.skipped} == {("a.js", LONG_LINES), ("data.csv", TOO_MUCH)}
    assert result.partial


async def test_a_large_change_without_its_documentation_is_not_called_incomplete(
    models: SandboxModels, providers: tuple[Provider, ...]
) -> None:
    models.answer(findings=[])
    large = f"{'x' * 990}\n" * 370
    result = await asked(providers, {}, {"a.py": large, "docs/a.md": "text\n"})
    assert [(item.path, item.because) for item in result.skipped] == [("docs/a.md", PROSE)]
    assert not result.partial


async def test_a_change_without_lines_asks_nobody(models: SandboxModels, providers: tuple[Provider, ...]) -> None:
    empty: Change = a_change({}, {})
    result = await ask_models(empty, {}, providers, deadline=5, blank=blank_secrets)
    assert (result, models.requests) == (ModelResult(), [])
