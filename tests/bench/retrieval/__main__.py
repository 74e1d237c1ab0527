"""`python -m tests.bench.retrieval [REPO...]`: how well hidden files are found, by repository and source."""

import argparse
import asyncio
from pathlib import Path

from bot.git.local import LocalRepository
from bot.hidden_file_ranks import HYBRID, SINGLE, Quality, answers, quality
from tests.bench.table import held, table

RECALL, MRR = 0.92, 0.65
"""The goal of the hybrid, which must also be above every single source."""


async def _measured(path: Path, queries: int) -> tuple[int, dict[str, Quality]]:
    ranks = [answer.ranks() async for answer in answers(LocalRepository(path), queries)]
    sources = (*SINGLE, HYBRID) if ranks else ()
    return len(ranks), {source: quality([one[source] for one in ranks]) for source in sources}


def _row(path: Path, queries: int) -> tuple[str, ...]:
    asked, results = asyncio.run(_measured(path, queries))
    name = path.resolve().parent.name if path.name == "repo" else path.resolve().name
    if not asked:
        return (name, "0", *("-" for _ in (*SINGLE, HYBRID)), "-")
    hybrid, others = results[HYBRID], [results[source] for source in SINGLE]
    best = all(hybrid.recall_at_10 >= one.recall_at_10 and hybrid.mrr > one.mrr for one in others)
    reached = best and hybrid.recall_at_10 >= RECALL and hybrid.mrr >= MRR
    return (name, str(asked), *(f"{one.recall_at_10:.1%} {one.mrr:.3f}" for one in results.values()), held(reached))


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(prog="make bench-retrieval", description=__doc__)
    parser.add_argument("repositories", nargs="*", type=Path, default=[Path()], help="this one unless some are named")
    parser.add_argument("--queries", type=int, default=200)
    given = parser.parse_args()
    rows = [_row(path, given.queries) for path in given.repositories]
    title = (
        f"A hidden file found by the others' diff: recall@10 and MRR (goal {RECALL:.0%} {MRR:.2f}, above every single source)"
    )
    print(table(title, ("repository", "questions", *SINGLE, HYBRID, "reached"), rows))


if __name__ == "__main__":
    main()
