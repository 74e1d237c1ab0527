"""A change goes to the models and their findings come back, held against the code; what was not seen is named."""

import time

import pytest

from review.ask import LONG_LINES, PROSE, TOO_MUCH, ModelResult, ask_models
from review.change import Change
from review.finding import Location
from review.models.ground import NO_SUCH_CODE, OTHER_FILE
from review.models.pieces import MOST_TOKENS
from review.providers.provider import Provider
from review.secrets.blank import blank_secrets
from tests.builders_models import a_change, a_claim
from tests.review.asking import CLAIM, PLACE, asked, many_files, places
from tests.sandbox.models import SandboxModels

pytestmark = pytest.mark.integration


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
