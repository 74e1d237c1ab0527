"""How good the files are that an analysis read: its score and metrics, as they are kept with it."""

import asyncio

from review.analysis import Analysis
from review.change import Change, End
from review.metrics import measure
from review.score import as_record, score
from storage.analyses.keep import Measured


async def measured(change: Change, analysis: Analysis) -> Measured:
    """The score and the metrics of all files that were read, as they are at the head. Raises TryAgain."""
    files = await change.checkout.read(End.HEAD, analysis.read)
    metrics = await asyncio.to_thread(measure, files)
    scored = score(analysis.findings, metrics)
    return Measured(scored.overall, as_record(metrics, scored))
