"""Checkup of the embeddings: the embedder that is set makes a vector of a word."""

import asyncio

from bot.checkups.checkup import Line, ok, wrong
from bot.embedders import embedders, embedding_url
from bot.settings import Settings
from review.context.embedders.embedder import EmbedderFailed
from review.errors import UserError

SUBJECT = "Embeddings"
WORD = "refactoriq"
SECONDS = 10.0


async def embeddings(settings: Settings) -> list[Line]:
    """One word is embedded, which costs next to nothing; a model on this machine, slow to load, only has to be there."""
    asked = settings.embedder == "openai"
    where = f" at {embedding_url(settings)}" if asked else ""
    try:
        async with embedders(settings) as found, asyncio.timeout(SECONDS):
            if settings.embedder != "sentence-transformers":
                await found.current.embed([WORD])
    except UserError as error:
        return [wrong(SUBJECT, str(error))]
    except EmbedderFailed as error:
        return [wrong(SUBJECT, f"{error} Check the settings EMBEDDING_…, the network, HTTPS_PROXY and SSL_CERT_FILE.")]
    except TimeoutError:
        return [wrong(SUBJECT, f"No vector came{where} within {SECONDS:.0f} s: check EMBEDDING_BASE_URL and the way there.")]
    return [ok(SUBJECT, f"{found.current.name}{where or ', on this machine'}.")]
