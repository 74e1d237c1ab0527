"""How much a word tells in code: those that stand everywhere tell little, and say nothing as a reason."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from review.context.words import parts

TELLING = 0.8
"""What a word must weigh to stand alone as a reason; a class may be called by any word."""

VALUES = frozenset({"True", "False", "None"})

KEYWORDS = frozenset(
    """
    abstract also auto await base boolean break call case catch char const continue crate defer delete directly double during
    dyn elif else enum err extends extern final finally float foreach func goto impl implements inline instanceof int
    interface lambda let loop make match mod module more move mut namespace nil noqa null operator override package
    panic pass private protected pub raise rather readonly ref register require rescue sealed self short signed sizeof
    static struct super switch synchronized template then throw throws trait typedef typename typeof union unless unsafe
    unsigned use using val var virtual void volatile when where while yield
    """.split()  # noqa: SIM905  (a list of a hundred strings hides what is in it)
)
"""Of many languages, and what stands in comments of all of them."""

HASH = re.compile(r"[0-9a-f]{16,}")


def word_weight(word: str) -> float:
    """From 0.2 for what stands in nearly every file of any repository to 1; `word` is in lower case."""
    return _weights().get(word, 1.0)


def is_telling(name: str) -> bool:
    """Whether an identifier says something to a person: `open_socket` does; `self`, `return` and `__init__` do not."""
    if name.startswith("__") or len(name) < 3 or name in VALUES or name in KEYWORDS or HASH.fullmatch(name):
        return False
    said = parts(name)
    return len(said) > 1 or name[0].isupper() or any(word_weight(part) >= TELLING for part in said)


@cache
def _weights() -> Mapping[str, float]:
    """By word, from the table beside this file."""
    table = tomllib.loads(Path(__file__).with_name("word_weights.toml").read_text())
    return {word: float(weight) for weight, words in table.items() for word in words.split()}
