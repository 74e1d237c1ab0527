"""What people see of the work of a job that was given up: it has failed, and says why."""

import psycopg
import pytest

from handlers.give_up import give_up
from review.proposal import State
from storage.database import Database
from storage.deliveries import Deliveries
from storage.installations import Tenant
from tests.builders_storage import a_new_delivery, a_tenant

pytestmark = pytest.mark.integration


def a_proposal(database_url: str, tenant: Tenant, state: State) -> int:
    with psycopg.connect(database_url) as connection:
        [[analysis]] = connection.execute(
            "INSERT INTO analyses (organization_id) VALUES (%s) RETURNING id", (tenant.organization_id,)
        ).fetchall()
        [[proposal]] = connection.execute(
            "INSERT INTO proposals (organization_id, analysis_id, state, wanted) VALUES (%s, %s, %s, '{}') RETURNING id",
            (tenant.organization_id, analysis, state),
        ).fetchall()
    return int(proposal)


@pytest.mark.parametrize(
    ("kind", "state", "ends"),
    [
        ("prepare_proposal", State.PREPARING, ("failed", "It died.")),
        ("apply_proposal", State.APPLYING, ("failed", "It died.")),
        ("prepare_proposal", State.APPLYING, ("applying", "")),
        ("apply_proposal", State.APPLIED, ("applied", "")),
    ],
)
async def test_a_proposal_fails_with_the_job_that_it_waits_for_and_with_no_other(
    database: Database, database_url: str, kind: str, state: State, ends: tuple[str, str]
) -> None:
    tenant, deliveries = await a_tenant(database), Deliveries(database)
    proposal = a_proposal(database_url, tenant, state)
    await deliveries.remember([a_new_delivery("given-up")])
    await give_up(database, "given-up", kind, {"organization_id": tenant.organization_id, "proposal_id": proposal}, "It died.")
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT state, outcome FROM proposals").fetchall()
    assert rows == [ends]
    delivery = await deliveries.get("given-up")
    assert delivery is not None
    assert (delivery.state, delivery.outcome) == ("failed", "It died.")
