"""The fenced `suggestion` block that GitHub turns into a button."""

from review.clean import fenced
from review.finding import Suggestion


def suggestion_block(suggestion: Suggestion) -> str:
    """The block for a verified suggestion: its text between fences that nothing in it can close.

    GitHub replaces the commented lines by what stands between the fences, line by line; nothing between them deletes the
    lines. The fence is longer than any run of backticks inside (CommonMark 4.5). In a file with `\\r\\n` every line of the
    block keeps its `\\r`, the last one too, as in a block that a person sends from GitHub's own form: there are ways to
    apply a suggestion that take its lines as they stand.
    """
    text = suggestion.replacement
    return fenced(text, "suggestion") if text else "```suggestion\n```"
