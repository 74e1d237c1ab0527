"""How much a word tells in code: those that stand everywhere tell little, and say nothing as a reason."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from review.context.words import parts

TELLING = 0.8
"""What a word must weigh to stand alone as a reason; a class may be called by any word."""

VALUES = frozenset({"True", "False", "None"})


def word_weight(word: str) -> float:
    """From 0.2 for what stands in nearly every file of any repository to 1; `word` is in lower case."""
    return _weights().get(word, 1.0)


def is_telling(name: str) -> bool:
    """Whether an identifier says something to a person: `open_socket` does; `self`, `return` and `__init__` do not."""
    if name.startswith("__") or len(name) < 3 or name in VALUES:
        return False
    said = parts(name)
    return len(said) > 1 or name[0].isupper() or any(word_weight(part) >= TELLING for part in said)


@cache
def _weights() -> Mapping[str, float]:
    """By word, from the table beside this file."""
    table = tomllib.loads(Path(__file__).with_name("word_weights.toml").read_text())
    return {word: float(weight) for weight, words in table.items() for word in words.split()}
