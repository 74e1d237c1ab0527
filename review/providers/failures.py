"""What a provider's failed answer means: the same HTTP facts from every SDK become one of our errors, in our own words."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from review.providers.provider import ContentRefused, PromptTooLong, ProviderBusy, ProviderError, ProviderRefused

TOO_LONG = re.compile(
    r"context_length_exceeded|request_too_large|string_above_max_length|prompt is too long|maximum context length"
    r"|context window|exceeds? the (available )?context|too many (input )?tokens|request too large",
    re.IGNORECASE,
)
NO_QUOTA = re.compile(r"insufficient_quota|billing|credit balance|quota exceeded|exceeded your current quota", re.IGNORECASE)
REFUSED_CONTENT = re.compile(r"content_filter|content_policy|invalid_prompt|content management policy", re.IGNORECASE)
MAY_PASS = {408, 409, 425, 429}


def failure(status: int, words: str, headers: Mapping[str, str], model: str) -> ProviderError:
    """The error that an HTTP status of 400 or more stands for.

    `words` are the provider's own (code and message). They decide and are never shown: some quote the key or the account.
    """
    request = headers.get("x-request-id") or headers.get("request-id") or ""
    suffix = (
        f" ({status}, request {request[:80]})" if request.isascii() and request.isprintable() and request else f" ({status})"
    )
    if status == 413 or TOO_LONG.search(words):
        return PromptTooLong(f"the prompt is too long for `{model}`{suffix}")
    if status == 402 or (status in (400, 403, 429) and NO_QUOTA.search(words)):
        return ProviderRefused(f"the account has no quota left{suffix}")
    if status == 400 and REFUSED_CONTENT.search(words):
        return ContentRefused(f"the provider's content filter refused the prompt{suffix}")
    if status == 429:
        return ProviderBusy(f"rate limited{suffix}", retry_after(headers))
    if status in MAY_PASS or status >= 500:
        return ProviderBusy(f"overloaded or broken{suffix}", retry_after(headers))
    return ProviderRefused(REFUSALS.get(status, "the request was refused").format(model=model) + suffix)


REFUSALS = {
    401: "the API key was not accepted",
    403: "the API key may not do this",
    404: "there is no model `{model}` for this key",
}


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, by `Retry-After-Ms` (OpenAI) or `Retry-After` (seconds or a date, RFC 9110); None where unsaid."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        if re.fullmatch(r"\d+(\.\d+)?", value):
            return float(value) * scale
    try:
        at = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    return max((at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0.0)
