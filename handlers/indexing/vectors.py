"""Vectors for the chunks that have none of this model, in batches that are kept as they come."""

from handlers.indexing.work import Paused, Work
from review.context.embedders.embedder import Embedder
from storage.code.indexes import CodeIndexes
from storage.code.state import ClaimedIndex

EMBEDDED_AT_ONCE = 500
"""Chunks in one batch: what a failure or a killed process costs."""


async def embed_missing(indexes: CodeIndexes, claimed: ClaimedIndex, embedder: Embedder, work: Work) -> int:
    """Embed and keep; gives how many. Raises EmbedderFailed, TryAgain, Superseded, and Paused between two batches."""
    done, after = 0, 0
    while chunks := await indexes.unembedded(claimed, embedder.name, EMBEDDED_AT_ONCE, after):
        ids = [id for id, _ in chunks]
        matrix = await embedder.embed([text for _, text in chunks])
        await indexes.keep_vectors(claimed, embedder.name, embedder.dimensions, ids, matrix)
        done, after = done + len(ids), ids[-1]
        work.on_progress("embed", done, 0)
        if len(ids) == EMBEDDED_AT_ONCE and (because := await work.why_pause()):
            raise Paused(because)
    return done
