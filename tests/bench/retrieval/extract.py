"""`python -m tests.bench.retrieval.extract FOLDER REPO...`: what is trained on, the features of questions by repository."""

import argparse
import asyncio
import time
from pathlib import Path

import numpy as np

from bot.git.local import LocalRepository
from bot.hidden_files import all_changesets, fitting_commits, hide_file
from review.context.embedders.hashing import Hashing
from review.context.features import features
from review.context.memory import MemoryIndex, Parsed, Vectors, follow
from review.context.query import query_of
from review.context.signals import gather

CHANGESETS = 5_000
SECONDS = 600.0


async def extract(repository: Path, most: int) -> dict[str, np.ndarray]:
    """All questions of one repository: the rows of their candidates one under the other."""
    local = LocalRepository(repository)
    objects = local.objects
    tip = await local.commit("HEAD")
    history = await all_changesets(objects, tip)
    index, parsed, vectors, embedder = MemoryIndex(), Parsed(), Vectors(), Hashing()
    rows, sizes, answers, names = [], [], [], []
    for commit in await fitting_commits(objects, tip, most):
        question = await hide_file(objects, commit, history)
        deadline = time.monotonic() + SECONDS
        await follow(index, question.tree, changesets=CHANGESETS, deadline=deadline, parsed=parsed)
        query = query_of(question.diff, question.base)
        await index.embed(embedder, vectors)
        signals = await gather(index, query, (await embedder.embed([query.text]))[0])
        columns = features(query, signals)
        names = list(columns)
        rows.append(np.column_stack(list(columns.values())).astype(np.float32))
        sizes.append(len(signals.files))
        paths = [file.path for file in signals.files]
        answers.append(paths.index(commit.hidden) if commit.hidden in paths else -1)
        indexed = commit.hidden in index.paths()
        if answers[-1] < 0:
            print(
                "missed", repository.name, commit.sha[:10], commit.hidden, "indexed" if indexed else "NOT INDEXED", len(paths)
            )
    return {
        "rows": np.concatenate(rows),
        "sizes": np.array(sizes),
        "answers": np.array(answers),
        "names": np.array(names),
    }


def main() -> None:
    """Write what is new."""
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
        answers = found["answers"]
        held = (answers >= 0).mean()
        print(f"{name}: {len(answers)} questions, {held:.1%} among candidates, {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
