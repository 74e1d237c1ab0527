"""Usage: the tokens that models took and what they cost, by day, repository or model."""

from datetime import UTC, date, datetime, timedelta
from typing import Self

from pydantic import Field, model_validator

from handlers.api.endpoint import Answer, Asked, Endpoint, Needs
from handlers.api.forms import Data, Id, Nothing, Query
from handlers.api.problem import Code, not_found
from storage.usage import GroupBy, Usage, usage

MOST_DAYS = 366


class UsageQuery(Query):
    """The days `since` to `until`, both included, UTC: the last 30 when none are given. The organization is one's own home
    when none is given."""

    organization_id: Id | None = None
    since: date | None = None
    until: date | None = None
    group_by: GroupBy = "day"

    @model_validator(mode="after")
    def _order(self) -> Self:
        since, until = self.days
        if since > until or (until - since).days > MOST_DAYS:
            raise ValueError(f"since must not be after until, and at most {MOST_DAYS} days before it")
        return self

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last one."""
        until = self.until or datetime.now(UTC).date()
        return self.since or until - min(timedelta(days=29), until - date.min), until


class UsageItem(Data):
    """The sum of one day, repository (null: what belongs to none) or model; `cost` in US dollars by our price table."""

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


class UsageData(Data):
    """`total_cost` is the sum over the items, in US dollars."""

    since: date
    until: date
    group_by: GroupBy
    items: list[UsageItem]
    total_cost: float = Field(ge=0)


async def read_usage(asked: Asked[Nothing, UsageQuery]) -> Answer:
    """What models took, in sums."""
    organization_id = asked.query.organization_id or asked.user.home_id
    sight = asked.caller.sight
    if sight.role_in(organization_id) is None:
        raise not_found("organization")
    since, until = asked.query.days
    found = await usage(asked.services.reading, sight, organization_id, since, until, asked.query.group_by)
    total = round(sum(item.cost for item in found), 6)
    items = [_item(item) for item in found]
    return Answer(UsageData(since=since, until=until, group_by=asked.query.group_by, items=items, total_cost=total))


def _item(of: Usage) -> UsageItem:
    return UsageItem.model_validate({name: getattr(of, name) for name in UsageItem.model_fields})


ENDPOINTS = (
    Endpoint(
        "GET", "/usage", "usage.read", "Tokens and money", read_usage, Needs.ACCOUNT,
        query=UsageQuery, data=UsageData, codes=(Code.NOT_FOUND,),
    ),
)  # fmt: skip
