"""A change to the models, findings back: cut into pieces, asked about all at once, held against the code."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from review.analysis import ContextPlace, Dropped, Skipped, Usage
from review.change import Change
from review.find_context import Look, cited, found_places
from review.finding import Finding, worst_first
from review.lines import line_texts
from review.models.calls import Answered, Calls
from review.models.condense import condensed
from review.models.ground import ground
from review.models.page import Page
from review.models.pieces import cut_into_pieces, is_prose
from review.models.prompt import about
from review.models.shown import MAX_LINE, ShownFile, show
from review.progress import Looking, unseen
from review.providers.provider import Provider

LONG_LINES = f"the ends of lines longer than {MAX_LINE:,} characters, for the models"
PROSE = "documentation in a large change, for the models"
TOO_MUCH = "more than models are asked to read in one review"
UNANSWERED = "no model answered for it, or for a part of it"


@dataclass(frozen=True, slots=True)
class ModelResult:
    """What the models said of a change. `notes` are sentences for the review; `partial`: not all of it was looked at."""

    findings: tuple[Finding, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    models: tuple[str, ...] = ()
    usage: tuple[Usage, ...] = ()
    context: tuple[ContextPlace, ...] = ()
    no_context: str = ""
    notes: tuple[str, ...] = ()
    partial: bool = False


async def ask_models(
    change: Change,
    head: Mapping[str, bytes],
    providers: tuple[Provider, ...],
    *,
    deadline: float,
    blank: Callable[[str], str],
    look: Look | None = None,
    looking: Looking = unseen,
) -> ModelResult:
    """Ask the first provider about every piece of the change, the others where it fails, for `deadline` seconds in all.

    `head` holds the head's files by path; files that are not in it are left out. `blank` takes secrets out of a text; no
    text leaves without it. `look` adds what other code says about each piece; `looking` is told which file is
    asked about. Never raises for a provider that fails: the result says it.
    """
    end = monotonic() + deadline
    shown = [show(file, line_texts(head[file.path]), blank) for file in change.diff.files if file.hunks and file.path in head]
    pieces, left_out = cut_into_pieces(condensed(shown))
    pieces, no_context = await look(pieces) if look else (pieces, "")
    calls = Calls(providers, about(change.title, change.description, blank), end, looking)
    late = ""
    try:
        async with asyncio.timeout(end - monotonic()):
            await calls.ask_all(pieces)
    except TimeoutError:
        late = f"the time for models, {deadline:.0f} s, was over"
    findings, dropped = _grounded(calls.answered, _pages(change, shown, head))
    return ModelResult(
        findings=tuple(findings),
        dropped=tuple(dropped),
        skipped=tuple(_skipped(shown, left_out, calls)),
        models=tuple(sorted({f"{answered.provider.name} {answered.provider.model}" for answered in calls.answered})),
        usage=tuple(calls.usage),
        context=tuple(found_places(pieces)),
        no_context=no_context,
        notes=tuple(_notes(calls, providers, late)),
        partial=bool(calls.open) or not all(is_prose(file.path) for file in left_out),
    )


def _pages(change: Change, shown: Sequence[ShownFile], head: Mapping[str, bytes]) -> dict[str, Page]:
    files = {file.path: file for file in change.diff.files}
    return {file.path: Page(files[file.path], file, head[file.path]) for file in shown}


def _grounded(answers: Sequence[Answered], pages: Mapping[str, Page]) -> tuple[list[Finding], list[Dropped]]:
    """The findings that stand on the code, each once, worst first; and the others."""
    found: dict[tuple[object, ...], Finding] = {}
    dropped: list[Dropped] = []
    for answered in answers:
        paths = {name: file.path for file in answered.piece.files for name in (file.name, file.path)}
        for item in answered.items:
            page = pages[paths[item.path]] if item.path in paths else None
            result = cited(ground(item, page, answered.provider.name), item, answered.piece)
            if isinstance(result, Dropped):
                dropped.append(result)
            elif (key := (result.location, result.rule, result.message)) in found:
                dropped.append(Dropped(result, "said twice"))
            else:
                found[key] = result
    return worst_first(found.values()), dropped


def _skipped(shown: Sequence[ShownFile], left_out: Sequence[ShownFile], calls: Calls) -> Iterator[Skipped]:
    """What no model saw, file by file; where none answered at all, the note says it for all of them."""
    yield from (Skipped(file.path, PROSE if is_prose(file.path) else TOO_MUCH) for file in left_out)
    gone = {file.path for file in left_out}
    yield from (Skipped(file.path, LONG_LINES) for file in shown if file.cut_lines and file.path not in gone)
    if calls.answered:
        unanswered = {file.path for piece in calls.open for file in piece.files}
        yield from (Skipped(file.path, UNANSWERED) for file in shown if file.path in unanswered)


def _notes(calls: Calls, providers: Sequence[Provider], late: str) -> Iterator[str]:
    reasons = [f"`{name}`: {because}" for name, because in calls.failures.items()]
    if calls.open:
        reasons += [late] if late else []
        start = "Models did not look at all of this change" if calls.answered else "No model answered"
        yield f"{start}: {'; '.join(reasons)}."
    for place, provider in enumerate(providers):
        if place and any(answered.provider is provider for answered in calls.answered):
            yield f"`{provider.name}` answered in place of {_failed(calls, providers[:place])}."
    unreadable = sum(answered.unreadable for answered in calls.answered)
    if unreadable:
        yield f"{unreadable} of the models' findings could not be read and {'was' if unreadable == 1 else 'were'} left out."


def _failed(calls: Calls, before: Sequence[Provider]) -> str:
    """Those that were asked first and did not answer, with the reasons."""
    return " and ".join(f"`{p.name}`: {calls.failures[p.name]}" for p in before if p.name in calls.failures)
