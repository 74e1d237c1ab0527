"""The errors that are not bugs: what a person can mend, and what may pass by itself."""

from collections.abc import Iterable

from review.finding import Finding


class RefactorIQError(Exception):
    """Whatever this product raises on purpose; anything else that escapes is a bug."""


class UserError(RefactorIQError):
    """Something a person must mend. Its text is the answer they read: a sentence that says what to do."""


class TryAgain(RefactorIQError):
    """Something that may pass by itself. The queue puts the job back.

    `after` is how many seconds to wait before the next try, where the other side named it (`Retry-After`,
    a rate limit's reset); None leaves the delay to the queue, which grows it with each try.
    """

    def __init__(self, because: str, after: float | None = None) -> None:
        super().__init__(because)
        self.after = after


class Superseded(RefactorIQError):
    """The work has lost its point: the pull request has moved on, was closed, or is in other hands."""


class AnalyzerFailed(RefactorIQError):
    """The tool crashed, timed out, answered nonsense, or left files out. Its text is the reason, as the review will name it.

    `findings` are those that it made all the same (where it only failed on some files): they stand.
    """

    def __init__(self, because: str, findings: Iterable[Finding] = ()) -> None:
        super().__init__(because)
        self.findings = tuple(findings)
