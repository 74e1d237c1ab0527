"""A module."""

import os

LIMIT = 3
_lower, other = 1, 2


# What is cached.
@cache
def load(path: str, *, most: int = 3) -> bytes:
    r"""Loads it. And more."""
    def inner():
        return 1
    return inner()


class Store(Base):
    """A store of things."""

    size: int = 1

    @property
    async def first(
        self,
    ) -> int:
        return LIMIT

    class Inner:
        def deep(self):
            return 1
    def one(self): return 1


if __name__ == "__main__":
    load("a")
