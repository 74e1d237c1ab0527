"""What calls to models cost, by the table of prices."""

from decimal import Decimal

import pytest

from bot.settings import ModelSettings
from review.analysis import Usage
from review.models.prices import cost, prices

pytestmark = pytest.mark.unit


def test_fresh_cached_and_written_tokens_each_have_their_price() -> None:
    usage = Usage("openai", "gpt-5.1", input_tokens=1_000_000, cached_tokens=400_000, output_tokens=100_000)
    assert cost(usage) == Decimal("0.6") * Decimal("1.25") + Decimal("0.4") * Decimal("0.125") + Decimal("0.1") * 10


@pytest.mark.parametrize("edition", ["", "-2025-11-13", "-20251113", "-latest"])
def test_an_edition_of_a_model_costs_what_the_model_does(edition: str) -> None:
    assert cost(Usage("anthropic", f"claude-haiku-4-5{edition}", input_tokens=1_000_000)) == Decimal(1)


@pytest.mark.parametrize(("provider", "model"), [("openai", "gpt-5.1-codex"), ("openai", "my-own"), ("anthropic", "gpt-5.1")])
def test_a_model_whose_price_nobody_told_us_has_none(provider: str, model: str) -> None:
    assert cost(Usage(provider, model, input_tokens=5)) is None


def test_a_call_that_failed_before_any_token_cost_nothing() -> None:
    assert cost(Usage("openai", "my-own", ok=False, error="It was refused.")) == 0


def test_the_models_that_are_asked_unless_others_are_named_have_prices() -> None:
    fields = ModelSettings.model_fields
    for provider in ("openai", "anthropic"):
        assert (provider, fields[f"{provider}_model"].default) in prices()


def test_cached_tokens_never_cost_more_than_fresh_ones_nor_those_more_than_written_ones() -> None:
    for price in prices().values():
        assert 0 < price.cached < price.input < price.output
