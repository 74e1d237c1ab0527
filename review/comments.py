"""Every word that the bot posts on a pull request."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from itertools import accumulate

from review.analysis import Analysis, Skipped
from review.anchor import Anchor, Unanchored, anchor
from review.capped import capped
from review.clean import cleaned, code
from review.diff import Diff
from review.finding import Finding
from review.marker import Marker, without_marks
from review.review import Comment, Review
from review.secrets.blank import blank_secrets
from review.suggestions.suggestion_block import suggestion_block
from review.words import count, found_in_files

NAME = "RefactorIQ"
MOST_LISTED = 30
"""Skipped files that are listed one by one for each reason; the others are counted."""

LONGEST_PATH = 200
"""Characters of a path that are shown: its end."""

MOST_SAID = 400
"""Characters of a finding's message in the list, which is read at a glance."""

MOST_CITED = 2
"""Places beyond the change that a comment names."""

OPEN_ROWS = 10
"""Findings without a comment that are read at once; those after them are folded away."""

LIST_CHARACTERS = 40_000
"""Of all findings without a comment together. What does not fit is counted, and counts as not told."""


def write_review(
    analysis: Analysis, diff: Diff, marker: Marker, *, told: Collection[str] = (), max_comments: int = 50
) -> Review | None:
    """The review of what is new in this analysis, or None where there is nothing new to say.

    `told` are the fingerprints already posted on this pull request, twins included. Findings that have a line become
    comments, most severe first, at most `max_comments`; the others go into the body, each with its reason.
    """
    known = set(told)
    new = [finding for finding in analysis.findings if known.isdisjoint(finding.fingerprints)]
    if not new:
        return None
    comments, unplaced = place(new, diff, max_comments)
    rows = _fitting([_row(item) for item in unplaced])
    untold = {item.finding for item in unplaced[len(rows) :]}
    headline = _headline(analysis, new, len(analysis.findings) - len(new))
    body = _paragraphs(headline, _listed(rows, len(untold)), _coverage(analysis))
    return Review(
        head_sha=analysis.head_sha,
        body=capped(body, "\n\n" + marker.mark(analysis.head_sha)),
        comments=tuple(comments),
        fingerprints=tuple(dict.fromkeys(name for finding in new if finding not in untold for name in finding.fingerprints)),
    )


def without_lines(review: Review, marker: Marker) -> Review:
    """The same review with its comments in the body: for a GitHub that refuses one of them, and does not say which."""
    told = [_paragraphs(f"**{code(_place(comment.path, comment.line))}**", comment.body) for comment in review.comments]
    body = _paragraphs(without_marks(review.body), "**GitHub did not take the comments on lines; here they are.**", *told)
    return replace(review, body=capped(body, "\n\n" + marker.mark(review.head_sha)), comments=())


def write_note(analysis: Analysis, marker: Marker, standing: int = 0) -> Review:
    """The short note for a head on which nothing new was found. `standing` counts earlier findings that still hold."""
    body = _paragraphs(_nothing_new(analysis, standing), _coverage(analysis))
    return Review(analysis.head_sha, capped(body, "\n\n" + marker.mark(analysis.head_sha)))


def write_update(body: str, analysis: Analysis, marker: Marker, standing: int) -> str:
    """The body of an earlier review with findings, brought up to date for a head with nothing new."""
    heads = marker.heads(body) | {analysis.head_sha}
    kept = without_marks(body).partition(f"\n{UPDATED}\n")[0].rstrip()
    marks = "\n".join(marker.mark(head) for head in sorted(heads))
    update = "\n".join(_paragraphs(_nothing_new(analysis, standing), *_notes(analysis)).splitlines())
    return capped(kept, f"\n\n{UPDATED}\n{update}\n\n{marks}")


UPDATED = "<!-- refactoriq:updated -->"


def place(findings: Iterable[Finding], diff: Diff, max_comments: int) -> tuple[list[Comment], list[Unanchored]]:
    """Hang the findings on the diff's lines; those without a line, or beyond `max_comments`, come back with the reason."""
    comments: list[Comment] = []
    unplaced: list[Unanchored] = []
    for finding in findings:
        spot = anchor(finding, diff)
        if isinstance(spot, Anchor) and len(comments) < max_comments:
            comments.append(_comment(finding, spot))
        elif isinstance(spot, Anchor):
            already = f"this review already has {max_comments} comments"
            unplaced.append(Unanchored(finding, already if max_comments else "the rules ask for no comments on lines"))
        else:
            unplaced.append(spot)
    return comments, unplaced


def _comment(finding: Finding, spot: Anchor) -> Comment:
    body = _paragraphs(_title(finding), _message(finding), _see_also(finding), _block(finding), _source(finding))
    return Comment(
        path=spot.path,
        line=spot.line,
        side=spot.side,
        start_line=spot.start_line,
        body=capped(body, f"\n\n<!-- refactoriq:finding={finding.fingerprint} -->"),
        fingerprint=finding.fingerprint,
    )


def _message(finding: Finding) -> str:
    return cleaned(blank_secrets(finding.message))


def _see_also(finding: Finding) -> str:
    """The code beyond the change that the finding depends on, as words that link to nothing."""
    places = [code(_place(blank_secrets(cited.path), cited.first_line)) for cited in finding.cites[:MOST_CITED]]
    return f"See also {' and '.join(places)}." if places else ""


def _block(finding: Finding) -> str:
    """The button, where the suggestion is verified. One that carries a secret has none: blanked it would break the code."""
    suggestion = finding.verified_suggestion
    if suggestion is None:
        return ""
    return "" if blank_secrets(suggestion.replacement) != suggestion.replacement else suggestion_block(suggestion)


def _title(finding: Finding) -> str:
    return f"**{finding.severity.capitalize()} · {finding.category}**"


def _source(finding: Finding) -> str:
    """Who says so, with our own link to the rule: links that a model wrote never get here."""
    rule = code(f"{finding.source} {finding.rule}")
    return f"[{rule}]({finding.help_url})" if finding.help_url.startswith("https://") else rule


def _headline(analysis: Analysis, new: Sequence[Finding], standing: int) -> str:
    found = found_in_files(new, "new finding" if standing else "finding")
    text = f"**{NAME}** reviewed {_head(analysis)}: {found}."
    return text + _still_standing(standing) + _incomplete(analysis)


def _nothing_new(analysis: Analysis, standing: int) -> str:
    if not analysis.read:
        return f"**{NAME}** found nothing that it can review in {_head(analysis)}." + _incomplete(analysis)
    what = "nothing new to report" if standing else "nothing to report"
    if analysis.partial:
        what = "nothing found in the part that could be looked at"
    return f"**{NAME}** reviewed {_head(analysis)}: {what}." + _still_standing(standing) + _incomplete(analysis)


def _still_standing(standing: int) -> str:
    return f" {count(standing, 'earlier finding')} still {'stands' if standing == 1 else 'stand'}." if standing else ""


def _incomplete(analysis: Analysis) -> str:
    return " **This review is not complete:** see below." if analysis.partial else ""


def _head(analysis: Analysis) -> str:
    return code(analysis.head_sha[:7])


def _row(item: Unanchored) -> str:
    """A finding without a comment of its own: its place in words, what it says, and why it is here."""
    finding = item.finding
    message = _in_a_row(_shortened(blank_secrets(finding.message)))
    place = code(_place(finding.path, finding.location.first_line))
    return f"- {place} {_title(finding)} {message} ({_source(finding)}; {_in_a_row(item.because)})"


def _fitting(rows: Sequence[str]) -> list[str]:
    """The first rows, as many as there is room for."""
    ends = accumulate(len(row) + 1 for row in rows)
    return [row for row, end in zip(rows, ends, strict=True) if end <= LIST_CHARACTERS]


def _listed(rows: Sequence[str], left_out: int) -> str:
    """These rows, the first of them openly; `left_out` is how many more findings there are."""
    if not rows:
        return ""
    parts = ["**Without a comment of their own**", "\n".join(rows[:OPEN_ROWS])]
    more = [*rows[OPEN_ROWS:], *([f"- and {left_out} more, less severe, for which there is no room."] if left_out else [])]
    if more:
        parts += [f"<details><summary>{len(rows) - OPEN_ROWS + left_out} more</summary>", "\n".join(more), "</details>"]
    return _paragraphs(*parts)


def _place(path: str, line: int) -> str:
    return f"{_end_of(path)}:{line}"


def _end_of(path: str) -> str:
    return path if len(path) <= LONGEST_PATH else f"…{path[-LONGEST_PATH:]}"


def _shortened(message: str) -> str:
    if len(message) <= MOST_SAID:
        return message
    return message[:MOST_SAID].rpartition(" ")[0] + " …"


def _coverage(analysis: Analysis) -> str:
    """What was read and by whom, what was not and why, and how long it took; folded away unless something is missing."""
    rows = [
        f"Read: {count(len(analysis.read), 'file')}, {count(analysis.changed_lines, 'changed line')}.",
        f"Analyzers: {', '.join(analysis.analyzers) or 'none'}. Models: {', '.join(map(code, analysis.models)) or 'none'}.",
        *_notes(analysis),
        *_skipped(analysis.skipped),
        *_dropped(analysis),
        _timings(analysis),
    ]
    listed = "\n".join(f"- {row}" for row in rows if row)
    return f"<details{' open' if analysis.partial else ''}><summary>Coverage</summary>\n\n{listed}\n\n</details>"


def _notes(analysis: Analysis) -> list[str]:
    return [_in_a_row(note) for note in analysis.notes]


def _in_a_row(text: str) -> str:
    """Cleaned text on one line, for a list: a fence in it becomes a code span."""
    return " ".join(cleaned(text).split())


def _skipped(skipped: Sequence[Skipped]) -> list[str]:
    """One row a reason: `Skipped (lock file): a, b`."""
    by_reason: dict[str, list[str]] = {}
    for item in skipped:
        by_reason.setdefault(item.because, []).append(item.path)
    rows = []
    for because, paths in by_reason.items():
        shown = ", ".join(code(_end_of(path)) for path in paths[:MOST_LISTED])
        more = f" and {len(paths) - MOST_LISTED} more" if len(paths) > MOST_LISTED else ""
        rows.append(f"Not read ({_in_a_row(because)}): {shown}{more}.")
    return rows


def _dropped(analysis: Analysis) -> list[str]:
    """How many findings were left unsaid, by reason."""
    reasons = Counter(_in_a_row(item.because) for item in analysis.dropped)
    if not reasons:
        return []
    listed = ", ".join(f"{number} ({because})" for because, number in sorted(reasons.items()))
    return [f"Not posted: {listed}."]


def _timings(analysis: Analysis) -> str:
    shown = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in analysis.timings.items())
    tokens = sum(call.input_tokens + call.output_tokens for call in analysis.usage)
    spent = f" {tokens:,} tokens in {count(len(analysis.usage), 'model call')}." if analysis.usage else ""
    return f"Time: {shown}.{spent}" if shown else spent.strip()


def _paragraphs(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
