"""The embedder without a model: what is near what, the same everywhere, and quick."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from review.context.embedders.hashing import Hashing

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[4]
RETRY = "def retry_with_backoff(call, delays):\n    for delay in delays:\n        sleep(delay)\n        call()"
PARSE = "def parse_header(line):\n    name, _, value = line.partition(':')\n    return name.strip(), value.strip()"


async def embedded(*texts: str) -> NDArray[np.float32]:
    return await Hashing().embed(texts)


async def test_each_text_has_a_row_of_unit_length() -> None:
    rows = await embedded(RETRY, PARSE, "x" * 10_000_000, "größe_ändern 大小", "\udcff a_name")
    assert (rows.shape, rows.dtype) == ((5, Hashing().dimensions), np.float32)
    assert np.allclose(np.linalg.norm(rows[[0, 1, 3, 4]], axis=1), 1, atol=1e-6)


async def test_a_text_without_words_is_near_nothing() -> None:
    assert not (await embedded("", "\n})", "1 + 2")).any()
    assert (await Hashing().embed([])).shape == (0, 384)


@pytest.mark.parametrize(
    "question", ["Waits before it calls again: retries with growing delays.", "retryWithBackoff(delays)", "retrying, delayed"]
)
async def test_code_is_near_what_speaks_of_it_in_other_spellings_and_forms(question: str) -> None:
    asked, retry, parse = await embedded(question, RETRY, PARSE)
    assert asked @ retry > 0.15 + asked @ parse


async def test_one_rare_word_makes_more_alike_than_three_that_stand_everywhere() -> None:
    left, right, rare = await embedded("def f(self): return self.zebra", "def g(self): return self.walnut", "zebra")
    assert left @ rare > 0.2 + left @ right


async def test_the_order_of_texts_and_their_company_change_nothing() -> None:
    together = await embedded(*([PARSE] * 600), RETRY)
    assert np.array_equal(together[[599, 600]], await embedded(PARSE, RETRY))


def test_another_process_makes_the_same_vectors() -> None:
    """Those in the database were made by other processes: nothing may hang on Python's own, salted hashes."""
    program = (
        "import asyncio; from review.context.embedders.hashing import Hashing\n"
        "print(*asyncio.run(Hashing().embed(['parse the header'])).nonzero()[1])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


async def test_the_vectors_of_this_version_do_not_change() -> None:
    """Where this fails on purpose, count VERSION up, so that what is kept is embedded anew."""
    (row,) = await embedded("parse the header")
    assert Hashing().name == "hashing/1/384"
    assert np.flatnonzero(row > 0.4).tolist() == [71, 382]
    assert row[[71, 382, 17]] == pytest.approx([0.49237, 0.49237, -0.24618], abs=1e-4)


async def test_a_thousand_chunks_take_less_than_half_a_second() -> None:
    texts = [f"def handle_{n}_request(session_{n}, user_{n % 90}):\n" + f"    value_{n} = session_{n}.load(user)\n" * 19
             for n in range(1_000)]  # fmt: skip
    started = time.process_time()
    await embedded(*texts)
    assert time.process_time() - started < 0.5
