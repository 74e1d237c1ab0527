"""How often a caller may ask: counted before a password is hashed or a body is read, and told in headers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog
from starlette.responses import Response

from handlers.api.caller import Caller
from handlers.api.endpoint import Endpoint, Pace
from handlers.api.problem import Code, Problem
from storage.limits import Limits, Rate, Standing, network_of

security = structlog.get_logger("security")


@dataclass(slots=True)
class Counted:
    """What one request was counted against, in the order of asking."""

    limits: Limits
    standings: list[Standing] = field(default_factory=list)

    async def before(self, endpoint: Endpoint, address: str) -> None:
        """Before anything is looked into: where passwords are tried, by address, and by this process alone
        while Redis is away. Raises Problem."""
        if endpoint.pace is Pace.LOGIN:
            await self._count(self.limits.rates.logins, network_of(address), even_alone=True)

    async def refused(self, address: str) -> None:
        """After credentials that were not valid: those count by address, so that nobody guesses for nothing. Raises Problem.

        Valid ones are never held up by the failures of others behind the same address: secrets of 256 bits need no such lock,
        and a script with an old key would lock out its whole office.
        """
        await self._count(self.limits.rates.requests, network_of(address))

    async def after(self, endpoint: Endpoint, caller: Caller) -> None:
        """Once it is known who asks, and before the body is read. Raises Problem."""
        if endpoint.pace is Pace.NONE:
            return
        await self._count(self.limits.rates.requests, name_of(caller))
        if endpoint.pace is Pace.ANALYSIS and caller.user is not None:
            await self._count(self.limits.rates.analyses, f"user-{caller.user.id}")

    async def _count(self, rate: Rate, who: str, *, even_alone: bool = False) -> None:
        standing = await self.limits.hit(rate, who, even_alone=even_alone)
        if standing is None:
            return
        self.standings.append(standing)
        if not standing.allowed:
            security.warning("rate limited", who=who, limit=rate.name)
            raise Problem(
                Code.RATE_LIMITED,
                f"That is more than {rate.amount} {rate.name} in {_period(rate.seconds)}:"
                f" come again in {standing.reset} seconds.",
                {"limit": rate.name, "retry_after": standing.reset},
                headers={"Retry-After": str(standing.reset)},
            )

    def tell(self, response: Response) -> Response:
        """The same response, which says how the caller stands with the nearest limit (draft-ietf-httpapi-ratelimit-headers)."""
        response.headers.update(_headers(self.standings))
        return response


def name_of(caller: Caller) -> str:
    """Whose requests are counted together: those of a key, else those of a person, else those of an address."""
    if caller.user is None:
        return network_of(caller.address)
    return f"user-{caller.user.id}" if caller.key is None else f"key-{caller.key}"


def _headers(standings: list[Standing]) -> Mapping[str, str]:
    if not standings:
        return {}
    nearest = min(standings, key=lambda standing: (standing.allowed, standing.remaining))
    return {
        "RateLimit-Limit": str(nearest.rate.amount),
        "RateLimit-Remaining": str(nearest.remaining),
        "RateLimit-Reset": str(nearest.reset),
        "RateLimit-Policy": ", ".join(f"{each.rate.amount};w={each.rate.seconds}" for each in standings),
    }


def _period(seconds: int) -> str:
    return {60: "a minute", 3600: "an hour"}.get(seconds, f"{seconds} seconds")
