"""What can go wrong with git, told apart by what to do about it.

GitFailed            any failure; starting the cached copy anew may help
├── GitRefused       the server will not show the repository to this token (401, 403, 404)
├── GitAway          the server cannot be reached, or broke off
├── NoSuchCommit     a commit or branch is not (any more) in the repository
├── NothingInCommon  two commits have no common ancestor
└── GitTooMuch       a bound was met: of time, of output, of what is fetched
"""

import re

from review.errors import RefactorIQError


class GitFailed(RefactorIQError):
    """Git ended badly. The text is its last words, without any credential."""


class GitRefused(GitFailed):
    """The server will not show the repository to this token, or knows no such repository."""


class GitAway(GitFailed):
    """The server cannot be reached, is broken, or broke off in the middle."""


class NoSuchCommit(GitFailed):
    """A commit or branch that was asked for is not in the repository."""


class NothingInCommon(GitFailed):
    """Two commits have no common ancestor."""


class GitTooMuch(GitFailed):
    """A bound was met. The text is a sentence about which."""


MISSING = re.compile(r"not our ref|couldn't find remote ref|unadvertised object")
REFUSED = re.compile(
    r"Authentication failed|could not read (Username|Password)|Repository not found|repository '[^']*' not found"
    r"|returned error: (401|403|404|410)\b|update url base from redirection|returned error: 30[12378]"
)
AWAY = re.compile(
    r"unable to access|RPC failed|early EOF|hung up unexpectedly|unexpected disconnect|Could not resolve"
    r"|Connection (refused|reset)|timed out|expected flush|unexpected end|bad line length|remote error|the remote end"
    r"|transfer closed|SSL|invalid index-pack output|internal server error|expected '?packfile"
    r"|dumb http transport|info/refs not valid|update-server-info"  # a proxy's page where git's answer should be
)
FILE_LIMIT = re.compile(r"died of signal 25|File size limit|File too large")


def understood(words: str) -> GitFailed:
    """The failure behind git's words on standard error (in English: it runs under LC_ALL=C)."""
    if FILE_LIMIT.search(words):
        return GitTooMuch("The server sent more than may be fetched.")
    for pattern, kind in ((MISSING, NoSuchCommit), (REFUSED, GitRefused), (AWAY, GitAway)):
        if pattern.search(words):
            return kind(words)
    return GitFailed(words)
