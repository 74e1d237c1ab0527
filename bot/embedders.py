"""The embedder that the settings name, and those that made older vectors."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.providers import http_client
from bot.settings import ModelSettings
from review.context.embedders.embedder import Embedder
from review.context.embedders.hashing import Hashing
from review.context.embedders.openai import OpenAIEmbedder
from review.context.embedders.sentence_transformers import open_folder
from review.errors import UserError
from review.providers import openai

if TYPE_CHECKING:
    import httpx2

NO_KEY = (
    "EMBEDDER=openai needs a key: set EMBEDDING_API_KEY (any word for a server that asks for none), "
    "or OPENAI_API_KEY where EMBEDDING_BASE_URL is empty; or set EMBEDDER=hashing."
)
NO_PATH = "EMBEDDER=sentence-transformers needs a model: set EMBEDDING_PATH to its folder, or EMBEDDER=hashing."


@dataclass(frozen=True, slots=True)
class Embedders:
    """`current` makes the vectors from now on."""

    current: Embedder
    _key: str = field(repr=False)
    _url: str
    _client: "httpx2.AsyncClient | None" = field(repr=False)

    def named(self, name: str) -> Embedder | None:
        """The embedder of that name, so that its older vectors serve until there are newer ones; None where it is gone."""
        if name == self.current.name:
            return self.current
        if name == Hashing().name:
            return Hashing()
        kind, _, rest = name.partition("/")
        model, _, dimensions = rest.rpartition("/")
        if kind != "openai" or not model or not dimensions.isdecimal() or self._client is None:
            return None
        return OpenAIEmbedder(self._key, model, int(dimensions), self._url, self._client)


@asynccontextmanager
async def embedders(settings: ModelSettings) -> AsyncIterator[Embedders]:
    """The embedders of these settings; their connections close with the block. No model and no SDK is loaded yet.

    Raises UserError, a sentence that says what to set, where the settings do not suffice.
    """
    key, url = embedding_key(settings), embedding_url(settings)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(http_client(url, settings)) if key else None
        yield Embedders(_current(settings, key, url, client), key, url, client)


def embedding_url(settings: ModelSettings) -> str:
    """Where texts go with EMBEDDER=openai."""
    return settings.embedding_base_url or settings.openai_base_url or openai.BASE_URL


def embedding_key(settings: ModelSettings) -> str:
    """The key for it. OPENAI_API_KEY goes to the server that it is for, and to no other."""
    own = settings.embedding_api_key.get_secret_value()
    return own or ("" if settings.embedding_base_url else settings.openai_api_key.get_secret_value())


def _current(settings: ModelSettings, key: str, url: str, client: "httpx2.AsyncClient | None") -> Embedder:
    match settings.embedder:
        case "hashing":
            return Hashing()
        case "openai":
            if client is None:
                raise UserError(NO_KEY)
            return OpenAIEmbedder(key, settings.embedding_model, settings.embedding_dimensions, url, client)
        case "sentence-transformers":
            if settings.embedding_path is None:
                raise UserError(NO_PATH)
            return open_folder(settings.embedding_path.expanduser())
