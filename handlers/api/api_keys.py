"""API keys, for services: made by a person who signed in, shown once, and good for what their scopes say."""

from datetime import UTC, datetime, timedelta

from pydantic import Field

from handlers.api.cursor import below, cut
from handlers.api.endpoint import Answer, Asked, Endpoint, Needs
from handlers.api.forms import Body, Data, Nothing, Page, PageQuery, Text
from handlers.api.problem import Code, Problem, not_found
from storage.accounts.api_keys import ApiKey


class NewKey(Body):
    """`scopes` are what it may do, as `analysis:read`; it ends after `expires_in_days`."""

    name: Text = Field(min_length=1, max_length=100)
    scopes: list[Text] = Field(min_length=1, max_length=100)
    expires_in_days: int = Field(default=90, ge=1, le=3650)


class Key(Data):
    """A key as its owner sees it: `start` are its first characters."""

    id: int
    name: str
    start: str
    scopes: list[str]
    expires_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime


class MadeKey(Key):
    """`key` is shown this once: only its hash is kept."""

    key: str


async def list_keys(asked: Asked[Nothing, PageQuery]) -> Answer:
    """One's keys, the newest first."""
    query = asked.query
    found = await asked.services.accounts.api_keys.of(asked.user.id, below(query), query.limit + 1)
    keys, more = cut(query, found, lambda key: [key.id])
    return Answer(Page[Key](items=[Key(**_shown(key)) for key in keys], next_cursor=more))


async def make_key(asked: Asked[NewKey, Nothing]) -> Answer:
    """A new key."""
    body = asked.body
    unknown = sorted(set(body.scopes) - scopes())
    if unknown:
        details = {"unknown": unknown, "known": sorted(scopes())}
        raise Problem(Code.INVALID, f"There is no scope `{unknown[0]}`: details name those that there are.", details)
    expires = datetime.now(UTC) + timedelta(days=body.expires_in_days)
    made = await asked.services.accounts.api_keys.add(asked.user.id, body.name, sorted(set(body.scopes)), expires, asked.act)
    if made is None:
        raise Problem(Code.CONFLICT, "You have as many keys as one may have: delete one first.")
    key, secret = made
    return Answer(MadeKey(**_shown(key), key=secret), "Keep the key: it is not shown again.")


async def delete_key(asked: Asked[Nothing, Nothing]) -> Answer:
    """The key is good for nothing any more, at once."""
    if not await asked.services.accounts.api_keys.remove(asked.user.id, asked.path["id"], asked.act):
        raise not_found("API key")
    return Answer(Nothing(), "Deleted.")


def scopes() -> frozenset[str]:
    """All scopes that a key may be given: those of the endpoints that take keys."""
    from handlers.api import ENDPOINTS  # which names this file's endpoints, too
    from handlers.api.health import METRICS_SCOPE

    taken = {endpoint.scope for endpoint in ENDPOINTS if endpoint.needs is not Needs.NOBODY and not endpoint.session_only}
    return frozenset({METRICS_SCOPE, *taken})


def _shown(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "start": key.start,
        "scopes": list(key.scopes),
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "created_at": key.created_at,
    }


ENDPOINTS = (
    Endpoint("GET", "/auth/api-keys", "api_key.list", "One's API keys", list_keys, Needs.ACCOUNT,
             query=PageQuery, data=Page[Key]),
    Endpoint("POST", "/auth/api-keys", "api_key.create", "Make an API key", make_key, Needs.ACCOUNT,
             body=NewKey, data=MadeKey, status=201, codes=(Code.CONFLICT,), session_only=True),
    Endpoint("DELETE", "/auth/api-keys/{id}", "api_key.delete", "Delete an API key", delete_key, Needs.ACCOUNT,
             data=Nothing, session_only=True),
)  # fmt: skip
