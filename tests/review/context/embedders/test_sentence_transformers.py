"""A model in a folder: what is asked of the library, and what is said where it or the model is missing."""

import asyncio
import json
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from review.context.embedders.embedder import EmbedderFailed
from review.context.embedders.sentence_transformers import open_folder
from review.errors import UserError

pytestmark = pytest.mark.unit


class Model:
    """As the library's class, of three dimensions: the length of a text, and whether it was normalized."""

    loaded: list[tuple[str, dict[str, Any]]] = []  # noqa: RUF012
    broken: Exception | None = None

    def __init__(self, folder: str, **options: Any) -> None:
        Model.loaded.append((folder, options))
        if self.broken:
            raise self.broken

    def encode(self, texts: list[str], *, normalize_embeddings: bool, **_: Any) -> Any:
        assert normalize_embeddings
        return np.array([[len(text) > 3, len(text) <= 3, 0] for text in texts], np.float32)


class SafetensorError(Exception):
    """What the library of the weights' format raises; it is no OSError and no ValueError."""


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("sentence_transformers")
    module.__spec__ = ModuleSpec("sentence_transformers", None)
    module.SentenceTransformer = Model  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sentence_transformers", module)
    weights = ModuleType("safetensors")
    weights.SafetensorError = SafetensorError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "safetensors", weights)
    monkeypatch.setattr(Model, "loaded", [])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model's folder, as the library writes it: a transformer, then a pooling of three dimensions, then no numbers."""
    folder = tmp_path / "my-model"
    parts = {"": {}, "1_Pooling": {"word_embedding_dimension": 3}, "2_Normalize": {}}
    for path, config in parts.items():
        (folder / path).mkdir(parents=True, exist_ok=True)
        (folder / path / "config.json").write_text(json.dumps(config))
    (folder / "modules.json").write_text(json.dumps([{"path": path} for path in parts]))
    return folder


@pytest.mark.usefixtures("library")
async def test_it_is_loaded_once_from_the_folder_and_from_nowhere_else(folder: Path) -> None:
    embedder = open_folder(folder)
    assert (embedder.name, embedder.dimensions, embedder.remote) == ("sentence-transformers/my-model/3", 3, False)
    assert Model.loaded == []
    both = await asyncio.gather(embedder.embed(["long text", "x"]), embedder.embed(["x"]))
    assert [rows.tolist() for rows in both] == [[[1, 0, 0], [0, 1, 0]], [[0, 1, 0]]]
    assert Model.loaded == [(str(folder), {"local_files_only": True, "trust_remote_code": False})]
    assert (await embedder.embed([])).shape == (0, 3)


@pytest.mark.usefixtures("library")
async def test_a_model_that_ends_in_a_dense_layer_has_that_ones_length(folder: Path) -> None:
    (folder / "2_Normalize" / "config.json").write_text('{"in_features": 3, "out_features": 2}')
    embedder = open_folder(folder)
    assert embedder.dimensions == 2
    with pytest.raises(EmbedderFailed, match="another length"):
        await embedder.embed(["x"])


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("error", [OSError("no weights here"), SafetensorError("no weights here")])
async def test_a_model_that_does_not_load_is_a_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(Model, "broken", error)
    with pytest.raises(EmbedderFailed, match=r"my-model does not work \(\w+\): no weights here"):
        await open_folder(folder).embed(["x"])


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("modules", [None, "{", "[]", '[{"path": 3}]', '["x"]', '[{"path": ""}]'])
def test_a_folder_without_a_model_is_named(folder: Path, modules: str | None) -> None:
    (folder / "modules.json").unlink()
    if modules is not None:
        (folder / "modules.json").write_text(modules)
    with pytest.raises(UserError, match=r"EMBEDDING_PATH: .*my-model holds no sentence-transformers model"):
        open_folder(folder)


def test_where_the_extra_is_missing_the_way_to_it_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(UserError, match=r"pip install 'refactoriq\[local-embeddings\]'"):
        open_folder(folder)
