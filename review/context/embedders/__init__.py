"""The table of embedders, by the name that the setting EMBEDDER has for them; `bot.embedders` makes them."""

from review.context.embedders.embedder import Embedder
from review.context.embedders.hashing import Hashing
from review.context.embedders.openai import OpenAIEmbedder
from review.context.embedders.sentence_transformers import SentenceTransformers

EMBEDDERS: dict[str, type[Embedder]] = {
    "hashing": Hashing,
    "openai": OpenAIEmbedder,
    "sentence-transformers": SentenceTransformers,
}
