"""OpenAI's embeddings on the wire: what is asked, and vectors that depend on the texts alone."""

import base64
import hashlib
from typing import Any

import numpy as np

from tests.sandbox.model_schemas import Invalid
from tests.sandbox.model_wire import tokens

JSON = Any
DIMENSIONS = {"text-embedding-3-small": 1_536, "text-embedding-3-large": 3_072}
OTHERS = 768
"""What any other model gives."""

MOST_INPUTS = 2_048
MOST_TOKENS = 8_192
"""Of one text."""


def read_texts(body: JSON) -> list[str]:
    """The texts of a request. Raises Invalid where OpenAI would refuse it."""
    model, given, shortened = body.get("model"), body.get("input"), body.get("dimensions")
    if not isinstance(model, str):
        raise Invalid("you must provide a model parameter", "missing_required_parameter")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts) or not 0 < len(texts) <= MOST_INPUTS:
        raise Invalid("'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.")
    if not all(texts):
        raise Invalid("input cannot be an empty string.")
    if shortened is not None and (model not in DIMENSIONS or not 0 < shortened <= DIMENSIONS[model]):
        raise Invalid("This model does not support specifying dimensions.", "unsupported_parameter")
    if any(tokens(text) > MOST_TOKENS for text in texts):
        raise Invalid(f"This model's maximum context length is {MOST_TOKENS} tokens.", "context_length_exceeded")
    return texts


def vectors_answer(body: JSON, texts: list[str]) -> JSON:
    """The whole answer, in the encoding that was asked for."""
    length = body.get("dimensions") or DIMENSIONS.get(body["model"], OTHERS)
    encoded = body.get("encoding_format") == "base64"
    used = sum(map(tokens, texts))
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": place, "embedding": _embedding(vector(text, length), encoded)}
            for place, text in enumerate(texts)
        ],
        "model": body["model"],
        "usage": {"prompt_tokens": used, "total_tokens": used},
    }


def vector(text: str, length: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The vector of a text: of unit length, like that of texts that begin with the same word, unlike all others."""
    vectors = [_drawn(part, length) for part in (text.split(maxsplit=1)[0] if text.strip() else "", text)]
    summed = vectors[0] + 0.5 * vectors[1]
    return np.asarray(summed / np.linalg.norm(summed), np.float32)


def _drawn(text: str, length: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    seed = int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8], "big")
    drawn = np.random.default_rng(seed).standard_normal(length)
    return drawn / np.linalg.norm(drawn)


def _embedding(row: np.ndarray[Any, np.dtype[np.float32]], encoded: bool) -> JSON:
    return base64.b64encode(row.astype("<f4").tobytes()).decode() if encoded else row.tolist()
