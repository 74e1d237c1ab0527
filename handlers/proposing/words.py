"""What a proposal's commit says, and the signed line by which it is known again."""

import hmac
import re
from dataclasses import dataclass, field

from review.clean import visible
from review.words import count
from storage.analyses import NumberedFinding

TRAILER = re.compile(r"^RefactorIQ-Proposal: (\d+) ([0-9a-f]{32})$", re.MULTILINE)
LONGEST_HEADLINE = 72
MOST_LISTED = 50
ACTS = re.compile(r"(?<=[#@])(?=\w)")
"""Between a sign and what it would refer to: nothing that stands in the code may close an issue or call a person."""


@dataclass(frozen=True, slots=True)
class CommitMark:
    """The line of one proposal's commit on that head, signed with `key` so that no other commit passes for it."""

    key: bytes = field(repr=False)
    organization_id: int
    proposal_id: int
    head_sha: str

    @property
    def line(self) -> str:
        """A trailer, as git knows them."""
        return f"RefactorIQ-Proposal: {self.proposal_id} {self._mac()}"

    def stands_in(self, message: str) -> bool:
        """Whether a commit with that message is this proposal's."""
        found = TRAILER.findall(message)
        return any(int(id) == self.proposal_id and hmac.compare_digest(mac, self._mac()) for id, mac in found)

    def _mac(self) -> str:
        text = f"proposal:{self.organization_id}:{self.proposal_id}:{self.head_sha}"
        return hmac.digest(self.key, text.encode(), "sha256").hex()[:32]


def headline(title: str, settled: int) -> str:
    """The commit's first line: the proposal's title, or else what it does."""
    line = " ".join(visible(title).split()) or f"Settle {count(settled, 'finding')} of RefactorIQ"
    return line if len(line) <= LONGEST_HEADLINE else line[: LONGEST_HEADLINE - 1].rstrip() + "…"


def body(settled: list[NumberedFinding], mark: CommitMark) -> str:
    """The rest of the message: the findings by name, rule and place, and the mark."""
    rows = [_row(one) for one in settled[:MOST_LISTED]]
    if len(settled) > MOST_LISTED:
        rows.append(f"- and {len(settled) - MOST_LISTED} more")
    return "\n".join([*rows, "", mark.line])


def _row(one: NumberedFinding) -> str:
    finding = one.finding
    what = f"{one.issue}: {finding.rule} in {finding.path}, line {finding.location.first_line}"
    return "- " + ACTS.sub(" ", " ".join(visible(what).split()))
