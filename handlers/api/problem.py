"""Everything that an API request can be answered with other than success: the codes, their HTTP status, their meaning."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from review.errors import RefactorIQError


class Code(StrEnum):
    """What `error.code` may say. Programs go by it; the message is for people."""

    MALFORMED = "malformed"
    INVALID = "invalid"
    INVALID_CURSOR = "invalid_cursor"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    TOO_LARGE = "too_large"
    HEADERS_TOO_LARGE = "headers_too_large"
    SLOW_BODY = "slow_body"
    UNSAFE_ARCHIVE = "unsafe_archive"
    UNAUTHENTICATED = "unauthenticated"
    INVALID_CREDENTIALS = "invalid_credentials"
    FORBIDDEN = "forbidden"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_ACCEPTABLE = "not_acceptable"
    CONFLICT = "conflict"
    ILLEGAL_STEP = "illegal_step"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    REQUEST_IN_PROGRESS = "request_in_progress"
    RATE_LIMITED = "rate_limited"
    REFUSED_BY_GITHUB = "refused_by_github"
    INTERNAL = "internal"
    FEATURE_OFF = "feature_off"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The HTTP status that a code comes with, and what it says to whoever reads the documentation."""

    status: int
    words: str


MEANINGS: dict[Code, Meaning] = {
    Code.MALFORMED: Meaning(400, "The body is not what its content type says, or is missing."),
    Code.INVALID: Meaning(422, "The body, a parameter or a header does not fit; details name each place."),
    Code.INVALID_CURSOR: Meaning(400, "The cursor is not one that this list gave out."),
    Code.UNSUPPORTED_MEDIA_TYPE: Meaning(415, "The content type is not one that this endpoint takes."),
    Code.TOO_LARGE: Meaning(413, "The body, or what it unpacks to, is larger than allowed."),
    Code.HEADERS_TOO_LARGE: Meaning(431, "The path, the query and the headers together are larger than allowed."),
    Code.SLOW_BODY: Meaning(408, "The body did not come in within its time."),
    Code.UNSAFE_ARCHIVE: Meaning(422, "The archive holds names, links or amounts that are refused."),
    Code.UNAUTHENTICATED: Meaning(401, "No credentials, or none that are valid (any more)."),
    Code.INVALID_CREDENTIALS: Meaning(401, "The e-mail address or the password is wrong."),
    Code.FORBIDDEN: Meaning(403, "The caller may see it, but their role is not enough to do this."),
    Code.INSUFFICIENT_SCOPE: Meaning(403, "The API key does not have the scope."),
    Code.NOT_FOUND: Meaning(404, "It does not exist, or the caller may not see it."),
    Code.METHOD_NOT_ALLOWED: Meaning(405, "The path exists, the method does not; Allow names those that do."),
    Code.NOT_ACCEPTABLE: Meaning(406, "None of the types in Accept can be given."),
    Code.CONFLICT: Meaning(409, "It would contradict what is there already."),
    Code.ILLEGAL_STEP: Meaning(409, "Not from the present state; details name the legal steps."),
    Code.IDEMPOTENCY_KEY_REUSED: Meaning(422, "The Idempotency-Key came before, with another request."),
    Code.REQUEST_IN_PROGRESS: Meaning(409, "The first request with this Idempotency-Key is still being answered."),
    Code.RATE_LIMITED: Meaning(429, "Too many requests; Retry-After says when to come again."),
    Code.REFUSED_BY_GITHUB: Meaning(409, "GitHub would not do it; the message holds its reason."),
    Code.INTERNAL: Meaning(500, "A fault of ours. It is on record."),
    Code.FEATURE_OFF: Meaning(503, "This installation is not set up for it; the message names the setting."),
    Code.UNAVAILABLE: Meaning(503, "A service that is needed does not answer just now."),
    Code.TIMEOUT: Meaning(504, "It took too long."),
}


class Problem(RefactorIQError):
    """A request that is not answered as wished. `message` is a sentence for people that says what to do; `details` is
    plain JSON for programs. Neither repeats a secret."""

    def __init__(self, code: Code, message: str, details: Any = None, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details
        self.headers = dict(headers or {})

    @property
    def status(self) -> int:
        return MEANINGS[self.code].status


def not_found(what: str) -> Problem:
    """The one answer for what does not exist and for what the caller may not see."""
    return Problem(Code.NOT_FOUND, f"There is no such {what}.")
