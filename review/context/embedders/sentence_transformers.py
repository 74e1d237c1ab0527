"""Vectors from any sentence-transformers model in a folder of this machine (the extra `local-embeddings`). Never downloads."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from review.context.embedders.embedder import EmbedderFailed
from review.errors import UserError

MODULES = "modules.json"
WIDTHS = ("out_features", "word_embedding_dimension", "embedding_dimension")
"""How the parts of a model call the length of what they give."""

BATCH = 32


@dataclass(slots=True)
class SentenceTransformers:
    """The model in one folder, loaded when it is first asked. Fulfils Embedder.

    Models are told apart by their folder's name: a changed model belongs into a folder of another one.
    Made by `open_folder`.
    """

    name: str
    dimensions: int
    folder: Path
    remote: bool = field(default=False, init=False)
    _model: Any = field(default=None, init=False, repr=False)
    _loading: Lock = field(default_factory=Lock, init=False, repr=False)

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See Embedder. Takes some 10 to 100 ms a text without a GPU, in another thread."""
        return await asyncio.to_thread(self._embed, list(texts))

    def _embed(self, texts: list[str]) -> NDArray[np.float32]:
        if not texts:
            return np.zeros((0, self.dimensions), np.float32)
        try:
            rows = self._loaded().encode(
                texts, batch_size=BATCH, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
            )
        except (OSError, RuntimeError, ValueError, KeyError) as error:  # what torch and the model's files bring
            raise EmbedderFailed(f"The model in {self.folder} does not work ({type(error).__name__}): {error}") from None
        if rows.shape != (len(texts), self.dimensions):
            raise EmbedderFailed(f"The model in {self.folder} gives vectors of another length than its files say.")
        return np.asarray(rows, np.float32)

    def _loaded(self) -> Any:
        with self._loading:
            if self._model is None:
                from safetensors import SafetensorError
                from sentence_transformers import SentenceTransformer

                try:
                    self._model = SentenceTransformer(str(self.folder), local_files_only=True, trust_remote_code=False)
                except SafetensorError as error:  # a file that was copied by half, say
                    raise ValueError(str(error)) from None
            return self._model


def open_folder(folder: Path) -> SentenceTransformers:
    """The embedder of that folder; its model is not loaded yet. Raises UserError where the extra or the model is not there."""
    if find_spec("sentence_transformers") is None:
        raise UserError("EMBEDDER=sentence-transformers needs more packages: run `pip install 'refactoriq[local-embeddings]'`.")
    dimensions = _dimensions(folder)
    return SentenceTransformers(f"sentence-transformers/{folder.resolve().name}/{dimensions}", dimensions, folder)


def _dimensions(folder: Path) -> int:
    """The length of the model's vectors, by its files: what the last of its parts that names one gives."""
    try:
        modules = json.loads((folder / MODULES).read_bytes())
        for module in reversed(modules):
            config = folder / module["path"] / "config.json"
            known = json.loads(config.read_bytes()) if module["path"] and config.is_file() else {}
            for width in WIDTHS:
                if isinstance(known.get(width), int):
                    return int(known[width])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    raise UserError(f"EMBEDDING_PATH: {folder} holds no sentence-transformers model (a folder with {MODULES} and its parts).")
