"""How the model server fails, and what the providers say then."""

from enum import StrEnum


class Kind(StrEnum):
    """How a model fails."""

    MALFORMED = "malformed"
    """Half of the JSON, and the provider calls it complete."""
    PROSE = "prose"
    EMPTY = "empty"
    CUT = "cut"
    """Half of the JSON; `finish_reason: length`, `stop_reason: max_tokens`."""
    REFUSAL = "refusal"
    SLOW = "slow"
    HANG = "hang"
    FEWER = "fewer"
    """Embeddings for all texts but the last."""
    LOSE = "lose"
    """The connection breaks."""
    BROKEN_BODY = "broken_body"
    """200, and the provider's own JSON is cut."""
    RATE_LIMIT = "429"
    QUOTA = "quota"
    """429 that no waiting mends."""
    UNAUTHORIZED = "401"
    NO_MODEL = "404"
    TOO_LONG = "too_long"
    """400: more than the model's context holds."""
    SERVER_ERROR = "500"
    UNAVAILABLE = "503"
    OVERLOADED = "529"


ERRORS: dict[Kind, tuple[int, str, str, str]] = {
    Kind.RATE_LIMIT: (429, "rate_limit_exceeded", "rate_limit_error", "Rate limit reached. Please try again later."),
    Kind.QUOTA: (
        429,
        "insufficient_quota",
        "rate_limit_error",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    Kind.UNAUTHORIZED: (401, "invalid_api_key", "authentication_error", "Incorrect API key provided."),
    Kind.NO_MODEL: (404, "model_not_found", "not_found_error", "The model does not exist or you do not have access to it."),
    Kind.TOO_LONG: (
        400,
        "context_length_exceeded",
        "invalid_request_error",
        "prompt is too long: 250000 tokens > 200000 maximum",
    ),
    Kind.SERVER_ERROR: (500, "server_error", "api_error", "The server had an error while processing your request."),
    Kind.UNAVAILABLE: (503, "server_error", "api_error", "The engine is currently overloaded, please try again later."),
    Kind.OVERLOADED: (529, "server_error", "overloaded_error", "Overloaded"),
}
"""Status, OpenAI's code, Anthropic's type, words."""
