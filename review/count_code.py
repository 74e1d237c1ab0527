"""Count a file's code with lizard: lines, branches, tokens. Runs in the bounded process of `review/tree_process.py`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Counts:
    """What lizard's tokens say of a file.

    `lines` are those that hold code: no blank ones, no comments. `functions` are the cyclomatic complexities of its functions,
    `outside` that of the code outside of them (1 where it does not branch). `tokens` are Halstead's N, `vocabulary` his n.
    """

    lines: int
    functions: tuple[int, ...]
    outside: int
    tokens: int
    vocabulary: int


def count_code(path: str, source: str) -> Counts | None:
    """The counts of this text, in the language that its path names; None where lizard does not know it.

    What lizard makes of broken code is not defined, exceptions of any kind included.
    """
    # Late: the process that reads syntax trees needs no lizard, and lizard puts folders into sys.path.
    from lizard_core.file_analyzer import condition_counter, line_counter, preprocessing
    from lizard_core.file_info_builder import FileInfoBuilder
    from lizard_languages import get_reader_for

    language = get_reader_for(path)
    if language is None:
        return None
    builder, seen = FileInfoBuilder(path), dict[str, int]()
    reader = language(builder)
    tokens = reader.generate_tokens(source)
    for step in (preprocessing, _without_comments, line_counter, condition_counter):
        tokens = step(tokens, reader)
    for _ in reader(_noted(tokens, seen), reader):
        pass
    return Counts(
        lines=builder.fileinfo.nloc,
        functions=tuple(function.cyclomatic_complexity for function in builder.fileinfo.function_list),
        outside=builder.global_pseudo_function.cyclomatic_complexity,
        tokens=sum(seen.values()),
        vocabulary=len(seen),
    )


def _without_comments(tokens: Iterable[str], reader: Any) -> Iterator[str]:
    """As lizard's own step, but no comment is obeyed: `GENERATED CODE` in one would end the counting, and hide what follows."""
    for token in tokens:
        comment = reader.get_comment_from_token(token)
        if comment is None:
            yield token
        else:
            yield from "\n" * (len(comment.splitlines()) - 1)


def _noted(tokens: Iterable[str], seen: dict[str, int]) -> Iterator[str]:
    """The same tokens, each counted."""
    for token in tokens:
        seen[token] = seen.get(token, 0) + 1
        yield token
