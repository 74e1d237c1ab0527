"""`refactoriq eval-retrieval`: hide a file of each of many commits, and see how well the others' diff finds it."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path

from bot.git.errors import GitFailed
from bot.git.local import LocalRepository
from bot.hidden_file_ranks import HYBRID, SINGLE, Quality, answers, quality
from bot.hidden_files import FEWEST, MOST, NEWEST
from bot.terminal import harmless, progress_bar, say
from review.errors import UserError

FORMATS = ("text", "json")
FEW = 50
"""Questions, below which the figures say little."""

HOW = (
    f"Each question is a commit of {FEWEST} to {MOST} source files without one of them, asked at the commit before it with only"
    " the history before that. Each source ranks the files that any of them brings into question; ties count half."
)


def eval_retrieval(path: Path, queries: int, format: str) -> int:
    """Measure and print to stdout; gives the exit code 0.

    Raises UserError: a wrong option, no repository, no commit that fits, contents that are not here.
    """
    if format not in FORMATS:
        raise UserError(f"There is no format {format}: use one of {', '.join(FORMATS)}.")
    if queries < 1:
        raise UserError("--queries takes a number from 1 on.")
    found = asyncio.run(_measured(path, queries))
    asked = len(found[HYBRID])
    if not asked:
        raise UserError(
            f"None of the newest {NEWEST:,} commits changes {FEWEST} to {MOST} source files: name another repository."
        )
    if asked < queries:
        little = ": too few to say much" if asked < FEW else ""
        say(f"Only {asked} of the newest {NEWEST:,} commits change {FEWEST} to {MOST} source files{little}.")
    results = {source: quality(ranks) for source, ranks in found.items()}
    print(_json(path, asked, results) if format == "json" else _text(path, asked, results))
    return 0


async def _measured(path: Path, queries: int) -> dict[str, list[float]]:
    """By source, the ranks of the hidden files."""
    ranks: dict[str, list[float]] = {source: [] for source in (*SINGLE, HYBRID)}
    repository = LocalRepository(path)
    try:
        with progress_bar() as told:
            async for answer in answers(repository, queries, lambda done, of: told("asked", done, of)):
                for source, rank in answer.ranks().items():
                    ranks[source].append(rank)
    except GitFailed as error:
        raise UserError(f"git cannot read this repository: {error}") from error
    return ranks


def _text(path: Path, asked: int, results: dict[str, Quality]) -> str:
    rows = [f"{source:<14}{one.recall_at_10:>10.1%}{one.mrr:>8.3f}" for source, one in results.items()]
    head = f"{'source':<14}{'recall@10':>10}{'MRR':>8}"
    return "\n".join([harmless(f"{path.resolve()}: {asked} questions"), "", head, *rows, "", HOW])


def _json(path: Path, asked: int, results: dict[str, Quality]) -> str:
    sources = {source: {name: round(value, 4) for name, value in asdict(one).items()} for source, one in results.items()}
    return json.dumps({"repository": str(path.resolve()), "questions": asked, "how": HOW, "sources": sources}, indent=2)
