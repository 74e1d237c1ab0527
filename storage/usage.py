"""What models cost: tokens and money by day, repository and model."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, LiteralString

from storage.accounts.reading import Reading
from storage.accounts.sight import Sight

GroupBy = Literal["day", "repository", "model"]


@dataclass(frozen=True, slots=True)
class Usage:
    """The sum of one group: those of `day`, `repository_id` and `model` that it is not grouped by are None. `cost` is in US
    dollars."""

    day: date | None
    repository_id: int | None
    repository: str | None
    provider: str | None
    model: str | None
    calls: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost: float


BY: dict[GroupBy, tuple[LiteralString, LiteralString]] = {
    "day": ("day, NULL, NULL, NULL, NULL", "day"),
    "repository": ("NULL, nullif(scope, 0), (SELECT full_name FROM repositories WHERE id = scope), NULL, NULL", "scope"),
    "model": ("NULL, NULL, NULL, provider, model", "provider, model"),
}
SUMS: LiteralString = "sum(calls), sum(input_tokens), sum(cached_tokens), sum(output_tokens), sum(cost)"


async def usage(
    reading: Reading, sight: Sight, organization_id: int, since: date, until: date, group_by: GroupBy
) -> list[Usage]:
    """The sums over the days from `since` to `until`, both included, of what the sight allows. Raises Away."""
    columns, groups = BY[group_by]
    rows = await reading.rows(
        sight,
        f"SELECT {columns}, {SUMS} FROM usage_days"  # noqa: S608
        f" WHERE organization_id = %s AND day BETWEEN %s AND %s GROUP BY {groups} ORDER BY {groups}",
        (organization_id, since, until),
    )
    return [_usage(*row) for row in rows]


def _usage(
    day: date | None, repository_id: int | None, repository: str | None, provider: str | None, model: str | None, *sums: Decimal
) -> Usage:
    calls, given, cached, made, cost = sums
    return Usage(day, repository_id, repository, provider, model, int(calls), int(given), int(cached), int(made), float(cost))
