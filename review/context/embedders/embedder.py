"""Embedder: text into vectors that lie near each other where the texts mean similar things."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from review.errors import RefactorIQError


class EmbedderFailed(RefactorIQError):
    """No vectors came: the provider was away, busy or refused. The text says which and why, without any secret."""


class Embedder(Protocol):
    """One model. Vectors can be compared where `name` is the same."""

    @property
    def name(self) -> str:
        """Kind, model and dimensions, say `openai/text-embedding-3-small/384`."""
        ...

    @property
    def dimensions(self) -> int: ...

    @property
    def remote(self) -> bool:
        """Whether the texts leave this machine: then secrets are taken out of them before."""
        ...

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row of unit length for each text, any number of texts. Raises EmbedderFailed."""
        ...
