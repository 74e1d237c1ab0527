"""The table of embedders."""

from review.context.embedders.embedder import Embedder
from review.context.embedders.hashing import Hashing

EMBEDDERS: dict[str, type[Embedder]] = {"hashing": Hashing}
