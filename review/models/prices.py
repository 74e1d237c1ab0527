"""What a call to a model cost, by the prices in `prices.toml`."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

from review.analysis import Usage

PRICES_FILE = Path(__file__).parent / "prices.toml"
VERSION = re.compile(r"-(latest|\d{8}|\d{4}-\d{2}-\d{2})$")
"""What providers put behind a model's name for one edition of it, which costs the same."""

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens of each kind."""

    input: Decimal
    cached: Decimal
    output: Decimal


@cache
def prices() -> Mapping[tuple[str, str], Price]:
    """All known prices, by provider and model."""
    with PRICES_FILE.open("rb") as file:
        known = tomllib.load(file, parse_float=Decimal)
    return {(provider, model): Price(**price) for provider, models in known.items() for model, price in models.items()}


def cost(usage: Usage) -> Decimal | None:
    """US dollars that this call cost; None where nobody told us the model's price. A call without tokens cost nothing."""
    if not usage.input_tokens and not usage.output_tokens:
        return Decimal(0)
    price = prices().get((usage.provider, VERSION.sub("", usage.model)))
    if price is None:
        return None
    fresh = max(usage.input_tokens - usage.cached_tokens, 0)
    spent = fresh * price.input + usage.cached_tokens * price.cached + usage.output_tokens * price.output
    return spent / MILLION
