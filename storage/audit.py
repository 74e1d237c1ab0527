"""Who did what to what, from where: written in the transaction that does it, and never changed afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from storage.database import Connection, plain, plain_json


@dataclass(frozen=True, slots=True)
class Act:
    """Somebody's request, as the audit tells of it. `actor` names them for people; `user_id` is None for nobody's account.

    `action` is the endpoint's, such as `proposal.apply`; `address` is the caller's network address.
    """

    action: str
    actor: str
    user_id: int | None = None
    address: str = ""
    request_id: str = ""


RECORD = """
INSERT INTO audit_logs (organization_id, actor_id, actor, action, subject, details, address, request_id)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""


async def record(
    connection: Connection, organization_id: int | None, act: Act, subject: str, details: Mapping[str, Any] | None = None
) -> None:
    """Write it down within the caller's transaction: what is done and what is on record are one.

    `subject` is `kind:id`, as `analysis:17`. `organization_id` is None for what concerns the instance alone: those are
    written in a `system` transaction, all others in that organization's. No secret may stand in `details`.
    """
    await connection.execute(
        RECORD,
        (
            organization_id, act.user_id, plain(act.actor), act.action, plain(subject), Jsonb(plain_json(dict(details or {}))),
            act.address, act.request_id,
        ),
    )  # fmt: skip
