"""Query: what a change asks of the repository's other code."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Query:
    """Made by `query_of`. Weights are positive; the words and names that matter most are kept where there are too many.

    `paths` are the files of the change by their path at the base (never an answer to it); `words` the parts of identifiers,
    as in `ParsedFile.words`; `names` whole identifiers on and around the changed lines; `altered` the names of the
    definitions that the change alters, whose callers, tests and namesakes are wanted; `text` is what an embedder is given.
    """

    paths: tuple[str, ...]
    words: Mapping[str, float]
    names: Mapping[str, float]
    altered: frozenset[str]
    text: str
