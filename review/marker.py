"""The hidden mark by which the bot knows its own reviews again, and which nobody else can write."""

import hmac
import re
from dataclasses import dataclass, field

MARK = re.compile(r"<!-- refactoriq:head=([0-9a-f]{40,64}) mac=([0-9a-f]{32}) -->")


@dataclass(frozen=True, slots=True)
class Marker:
    """Marks of one pull request, signed with `key` so that a stranger's comment cannot pass for a review of ours.

    `base_ref` belongs to it: the same head against another base is another change, with a review of its own.
    """

    key: bytes = field(repr=False)
    repository_id: int
    number: int
    base_ref: str

    def mark(self, head_sha: str) -> str:
        """An HTML comment that says: this head of this pull request was reviewed."""
        return f"<!-- refactoriq:head={head_sha} mac={self._mac(head_sha)} -->"

    def heads(self, body: str) -> set[str]:
        """The heads that this body truthfully says were reviewed."""
        return {head for head, mac in MARK.findall(body) if hmac.compare_digest(mac, self._mac(head))}

    def _mac(self, head_sha: str) -> str:
        text = f"{self.repository_id}:{self.number}:{head_sha}:{self.base_ref}"
        return hmac.digest(self.key, text.encode("utf-8", "surrogateescape"), "sha256").hex()[:32]


def without_marks(body: str) -> str:
    """The body without any mark, for a body that is about to be written anew."""
    return MARK.sub("", body).rstrip()
