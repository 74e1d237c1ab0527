"""Words and names of a text: identifiers whole, and their parts, by which code is found."""

import itertools
import re
from collections import Counter
from functools import lru_cache

IDENTIFIER = re.compile(r"[^\W\d]\w*")
LETTERS = re.compile(r"[^\W\d_]+")
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
LONGEST = 64
"""Characters of an identifier that is still one: longer runs of letters are data."""

TEST_OR_PUNCTUATION = re.compile(r"(?<![a-z])(tests?|specs?)(?![a-z])|[^a-z0-9]+")


def names_of(text: str) -> Counter[str]:
    """The identifiers of a text, each with how often it stands there. Comments and strings count too."""
    return Counter(name for name in IDENTIFIER.findall(text) if 1 < len(name) <= LONGEST)


def words_of(names: Counter[str]) -> Counter[str]:
    """The parts of these identifiers in lower case: `parseHTTPHeader` is `parse`, `http` and `header`."""
    words: Counter[str] = Counter()
    for name, times in names.items():
        for part in parts(name):
            words[part] += times
    return words


@lru_cache(maxsize=200_000)
def parts(name: str) -> tuple[str, ...]:
    """The parts of one identifier in lower case, those of a single letter left out (a Han character is a word)."""
    found = PART.findall(name) if name.isascii() else [part for run in LETTERS.findall(name) for part in _cut_by_case(run)]
    return tuple(part.lower() for part in found if len(part) > 1 or not part.isascii())


def _cut_by_case(run: str) -> list[str]:
    """`größeÄndern` is `größe` and `Ändern`: letters of any script, cut before a capital that follows a small letter."""
    starts = [0, *(at for at in range(1, len(run)) if run[at].isupper() and not run[at - 1].isupper()), len(run)]
    return [run[first:last] for first, last in itertools.pairwise(starts)]


def stem(path: str) -> str:
    """What the files of one subject have alike: `tests/test_url_parser.py` and `src/UrlParser.java` are both `urlparser`."""
    name = path.rpartition("/")[2]
    base = name.split(".", 1)[0] if not name.startswith(".") else name
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", base).lower()
    return TEST_OR_PUNCTUATION.sub("", spaced)
