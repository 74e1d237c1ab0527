"""Ask the models as a review does: a small change, two providers, and short words for what came of it."""

from typing import Any

from review.ask import ModelResult, ask_models
from review.finding import Location
from review.providers.provider import Provider
from review.secrets.blank import blank_secrets
from tests.builders_models import Texts, a_change, a_claim, as_bytes, numbered

BASE = {"app.py": "def share(sum, people):\n    return sum\n"}
HEAD = {"app.py": "def share(sum, people):\n    return sum / people\n"}
CLAIM = a_claim(line=2, quote="    return sum / people", message="Nobody divides by zero.")
PLACE = Location("app.py", 2, 2)


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
