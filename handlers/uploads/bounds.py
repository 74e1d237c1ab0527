"""How much an upload may be, and how it is refused."""

from dataclasses import dataclass

from handlers.api.problem import Code, Problem

MIB = 1024 * 1024
RATIO = 100
"""How many times its packed size an upload may unpack to, once that is more than RATIO_FROM bytes."""

RATIO_FROM = 10 * MIB
LONGEST_SHOWN = 200
"""Characters of an entry's name in a message."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """`total` bytes at most, both as sent and unpacked; `files` files at most, none larger than `one` bytes."""

    total: int
    files: int
    one: int = 50 * MIB

    @property
    def entries(self) -> int:
        """Entries that an archive may list: folders and what is left out are not counted among the files."""
        return 4 * self.files


class Meter:
    """Counts the bytes that come out of what was `packed` bytes, and stops when they are too many."""

    def __init__(self, bounds: Bounds, packed: int) -> None:
        self._bounds = bounds
        self._packed = packed
        self._unpacked = 0

    def count(self, size: int) -> None:
        """So many bytes more have come out. Raises Problem."""
        self._unpacked += size
        if self._unpacked > self._bounds.total:
            raise too_large(f"Unpacked it is larger than {amount(self._bounds.total)}.")
        if self._unpacked > RATIO_FROM and self._unpacked > RATIO * self._packed:
            raise Problem(
                Code.UNSAFE_ARCHIVE, f"It unpacks to more than {RATIO} times its size: send the files less tightly packed."
            )


def unsafe(entry: str, because: str) -> Problem:
    """The refusal of an archive for one entry; `because` goes on after its name."""
    name = shown(entry)
    return Problem(Code.UNSAFE_ARCHIVE, f"`{name}` {because}. Take it out and send the rest.", {"entry": name})


def too_large(sentence: str, entry: str | None = None) -> Problem:
    """The refusal of what is more than allowed."""
    return Problem(Code.TOO_LARGE, f"{sentence} Send less at once.", None if entry is None else {"entry": shown(entry)})


def shown(entry: str) -> str:
    """A name as it may stand in a message: what cannot be printed is escaped."""
    plain = "".join(char if char.isprintable() and char != "`" else ascii(char)[1:-1] for char in entry)
    return plain if len(plain) <= LONGEST_SHOWN else plain[: LONGEST_SHOWN - 1] + "…"


def amount(size: int) -> str:
    """Bytes for people."""
    return f"{size / MIB:.0f} MB" if size >= MIB else f"{size} bytes"
