"""What may name a commit: a branch, a tag or an id, in the form that git allows and that no command takes for anything else."""

import re

LONGEST = 250
"""Characters: longer than any branch that a host takes."""

FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|//|@\{|/\.|\.lock(/|$)")
"""As `git check-ref-format` has it."""


def is_ref(name: str) -> bool:
    """Whether git could have a branch or a tag of that name (or a commit that is written so)."""
    if not 0 < len(name) <= LONGEST or name == "@" or not name.isprintable():
        return False
    return not (FORBIDDEN.search(name) or name[0] in "-/." or name[-1] in "/.")
