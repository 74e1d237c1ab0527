"""Faults on request: the ways in which GitHub, the network or a rival push can hurt, each met by some bot some day."""

import re
from dataclasses import dataclass
from enum import StrEnum

from tests.sandbox.answering import Refused, bad_credentials, not_found
from tests.sandbox.limits import secondary


class Kind(StrEnum):
    """What goes wrong. Faults of git's own requests (`/owner/name.git/…`) use the same words."""

    SERVER_ERROR = "500"
    BAD_GATEWAY = "502"
    UNAVAILABLE = "503"
    GATEWAY_TIMEOUT = "504"
    LOSE_ANSWER = "lose_answer"
    """The work is done, then the connection breaks: the caller cannot know."""
    LOSE_REQUEST = "lose_request"
    """The connection breaks and nothing was done."""
    SLOW = "slow"
    HANG = "hang"
    """No answer, ever; the connection stays open."""
    UNAUTHORIZED = "401"
    FORBIDDEN = "403"
    NOT_FOUND = "404"
    UNPROCESSABLE = "422"
    SECONDARY_LIMIT = "secondary_limit"
    SECONDARY_LIMIT_SILENT = "secondary_limit_silent"
    """A secondary limit without Retry-After: wait at least a minute."""
    TOO_MANY = "429"
    PRIMARY_LIMIT = "primary_limit"
    MALFORMED = "malformed"
    """200, and half of the JSON."""
    HTML = "html"
    """502 from a proxy: HTML instead of JSON."""


@dataclass(slots=True)
class Fault:
    """`times` is how many matching requests it still hurts; `seconds` is what Retry-After, a reset or a delay says."""

    method: str
    path: re.Pattern[str]
    kind: Kind
    times: int
    seconds: float
    skip: int = 0
    met: int = 0

    def hurts(self, method: str, path: str) -> bool:
        if self.times <= 0 or self.method not in ("*", method) or not self.path.search(path):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        self.met += 1
        return True

    def refusal(self) -> Refused | None:
        """What is answered instead of doing the work; None for faults of another form."""
        match self.kind:
            case Kind.SERVER_ERROR:
                return Refused(500, "Server Error")
            case Kind.BAD_GATEWAY | Kind.UNAVAILABLE | Kind.GATEWAY_TIMEOUT:
                return Refused(int(self.kind), "Unicorn! We had issues producing the response to your request.")
            case Kind.UNAUTHORIZED:
                return bad_credentials()
            case Kind.FORBIDDEN:
                return Refused(403, "Resource not accessible by integration")
            case Kind.NOT_FOUND:
                return not_found()
            case Kind.UNPROCESSABLE:
                return Refused(422, "Unprocessable Entity", ["An internal error occurred, please try again."])
            case Kind.SECONDARY_LIMIT:
                return secondary(self.seconds)
            case Kind.SECONDARY_LIMIT_SILENT:
                return secondary(None)
            case Kind.TOO_MANY:
                return secondary(self.seconds, 429)
        return None
