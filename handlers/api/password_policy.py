"""Which passwords are refused: those that are guessed first. Length is what counts; no mixture of characters is asked for."""

from functools import cache
from importlib.resources import files

import orjson

SHORTEST, LONGEST = 12, 200
"""Characters."""

FEWEST_DIFFERENT = 5
"""Different characters in a password."""


def why_weak(password: str, email: str) -> str:
    """A sentence that says what to do where this password is guessed too soon; an empty string where it may be used."""
    plainly = password.casefold().strip()
    address = email.casefold()
    if plainly in (address, address.partition("@")[0]):
        return "The password must not be the e-mail address: choose another one."
    if len(set(plainly)) < FEWEST_DIFFERENT:
        return "The password repeats the same few characters: choose one with more different ones."
    if _stem(plainly) in common():
        return "The password is one of those that are tried first everywhere: choose another one, such as four unrelated words."
    return ""


@cache
def common() -> frozenset[str]:
    """The stems of the most common passwords that are long enough."""
    words = orjson.loads(files("handlers.api").joinpath("common_passwords.json").read_bytes())
    return frozenset(_stem(word) for word in words)


def _stem(password: str) -> str:
    """Without what people put behind a word to make it longer, unless nothing else is left."""
    return password.rstrip("0123456789!@#$%*?._-") or password
