"""Blank the secrets in a text before it goes to a model or is posted: whoever reads it sees that one was there, not which."""

from review.secrets.kinds import find_secrets
from review.secrets.made_up import BLANKED

MOST_SHOWN = 4
SHOWN_OF = 4
"""Of four characters one is shown, and at most four: enough for `AKIA` or `ghp_`, too little of a short password."""


def blank_secrets(text: str) -> str:
    """The text with `AKIA…[secret]` in place of every secret. The number of lines stays; blanking twice changes nothing."""
    parts, end = [], 0
    for secret in find_secrets(text):
        parts += [text[end : secret.first], _blanked(text[secret.first : secret.last])]
        end = secret.last
    return "".join([*parts, text[end:]])


def _blanked(secret: str) -> str:
    """Its first characters and the mark; of a secret over several lines each line becomes a mark."""
    first, *others = secret.split("\n")
    shown = first[: min(MOST_SHOWN, len(secret) // SHOWN_OF)].rstrip()
    return "\n".join([shown + BLANKED + _return(first), *(_blanked_line(line) for line in others)])


def _blanked_line(line: str) -> str:
    return BLANKED + _return(line) if line.strip() else line


def _return(line: str) -> str:
    return "\r" if line.endswith("\r") else ""
