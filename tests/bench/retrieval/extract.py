"""`python -m tests.bench.retrieval.extract FOLDER REPO...`: what is trained on, the features of questions by repository."""

import argparse
import asyncio
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.git.local import LocalRepository
from bot.hidden_file_ranks import answers


async def extract(repository: Path, most: int) -> dict[str, NDArray]:
    """All questions of one repository: the rows of their candidates one under the other, and where the answers are (or -1)."""
    rows, sizes, places, names = [], [], [], []
    async for answer in answers(LocalRepository(repository), most):
        names = list(answer.columns)
        rows.append(np.column_stack(list(answer.columns.values())).astype(np.float32))
        sizes.append(len(rows[-1]))
        places.append(-1 if answer.at is None else answer.at)
    return {"rows": np.concatenate(rows), "sizes": np.array(sizes), "answers": np.array(places), "names": np.array(names)}


def main() -> None:
    """Write FOLDER/OWNER+NAME.npz for each repository, named by its folder (or the one around a folder `repo`)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("repositories", nargs="+", type=Path)
    parser.add_argument("--queries", type=int, default=250)
    given = parser.parse_args()
    for repository in given.repositories:
        began = time.monotonic()
        found = asyncio.run(extract(repository, given.queries))
        name = repository.resolve().parent.name if repository.name == "repo" else repository.name
        np.savez_compressed(given.folder / f"{name}.npz", **found)
        among = (found["answers"] >= 0).mean()
        print(
            f"{name}: {len(found['sizes'])} questions, {among:.1%} among candidates, {time.monotonic() - began:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
