"""What is counted of each analysis, whoever asked for it: findings, and what models took."""

from handlers.measures import CITED, FINDINGS, MODEL_CALLS, MODEL_COST, MODEL_TOKENS, PLACES
from review.analysis import Analysis, Usage
from review.models.prices import cost
from storage.counts import Counts


def count_analysis(counts: Counts, analysis: Analysis) -> None:
    """Note it, to be added once the job is over."""
    for finding in analysis.findings:
        counts.note(FINDINGS.counted(finding.severity))
    for usage in analysis.usage:
        _count_call(counts, usage)
    if analysis.context:
        counts.note(PLACES.counted(by=len(analysis.context)))
        counts.note(CITED.counted(by=sum(place.posted for place in analysis.context)))


def _count_call(counts: Counts, usage: Usage) -> None:
    named = (usage.provider, usage.model)
    tokens = {"input": usage.input_tokens, "cached": usage.cached_tokens, "output": usage.output_tokens}
    counts.note(MODEL_CALLS.counted(*named, "answered" if usage.ok else "failed"))
    for kind, number in tokens.items():
        counts.note(MODEL_TOKENS.counted(*named, kind, by=number))
    counts.note(MODEL_COST.counted(*named, by=float(cost(usage) or 0)))
