"""A job is given up: its delivery says so, and so does what people see of its work. The whole table of what that is."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

from review.proposal import State
from storage.accounts.reading import Reading
from storage.analyses.runs import Runs
from storage.audit import Act
from storage.database import Database
from storage.deliveries import Deliveries
from storage.proposals import Proposals

FAILED = Act("proposal.fail", "worker")


class Told(Protocol):
    """Writes down that the work of a job with these arguments came to nothing, unless it has ended by itself. Raises Away."""

    async def __call__(self, database: Database, arguments: Mapping[str, Any], because: str, /) -> None: ...


async def give_up(database: Database, delivery_id: str, kind: str, arguments: Mapping[str, Any], because: str) -> None:
    """Nobody does this job any more; `because` is a sentence for people. Raises Away."""
    if kind in TOLD:
        await TOLD[kind](database, arguments, because)
    await Deliveries(database).failed(delivery_id, because)


async def _analysis(database: Database, arguments: Mapping[str, Any], because: str) -> None:
    await Runs(database).failed(int(arguments["organization_id"]), int(arguments["analysis_id"]), because)


async def _proposal(at: State, database: Database, arguments: Mapping[str, Any], because: str) -> None:
    """Where it stands elsewhere by now, another job has gone on with it."""
    proposals = Proposals(database, Reading(database))
    proposal = await proposals.for_job(int(arguments["organization_id"]), int(arguments["proposal_id"]))
    if proposal is not None and proposal.state is at:
        await proposals.step(proposal, State.FAILED, FAILED, outcome=because)


TOLD: dict[str, Told] = {
    "analyze": _analysis,
    "prepare_proposal": partial(_proposal, State.PREPARING),
    "apply_proposal": partial(_proposal, State.APPLYING),
}
