"""Every list runs on an index, however many rows there are: the plans of the statements that the endpoints really send."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import AsyncClientCursor, AsyncCursor

from handlers.api import ENDPOINTS
from handlers.api.endpoint import Needs
from tests.builders_api import Api
from tests.builders_many import fill

pytestmark = [pytest.mark.api, pytest.mark.slow]

ROWS = 60_000
LONG = {"analyses", "deliveries", "audit_logs", "uploads", "proposals", "findings"}
"""The tables that grow with the product's use."""

LISTS = [endpoint for endpoint in ENDPOINTS if endpoint.method == "GET" and "cursor" in endpoint.query.model_fields]


@contextmanager
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are sent meanwhile, each with its values."""
    sent: list[tuple[str, Any]] = []

    def listen(kind: Any) -> None:
        execute = kind.execute

        async def listening(self: Any, query: Any, params: Any = None, **more: Any) -> Any:
            sent.append((query.decode() if isinstance(query, bytes) else str(query), params))
            return await execute(self, query, params, **more)

        monkeypatch.setattr(kind, "execute", listening)

    with monkeypatch.context():
        for kind in (AsyncCursor, AsyncClientCursor):
            if "execute" in vars(kind):
                listen(kind)
        yield sent
    monkeypatch.undo()


def read_through(plan: dict[str, Any]) -> Iterator[str]:
    """The long tables that a plan goes through from end to end, and long sorts."""
    if plan["Node Type"] == "Seq Scan" and plan.get("Relation Name") in LONG:
        yield f"all of {plan['Relation Name']}"
    if plan["Node Type"] == "Sort" and plan["Plan Rows"] > 5_000:
        yield f"a sort of {plan['Plan Rows']} rows"
    for part in plan.get("Plans", ()):
        yield from read_through(part)


def explain(api: Api, statements: list[tuple[str, Any]]) -> list[str]:
    """What is read through by these statements, each run again as it was sent, with the roles and settings before it."""
    found: list[str] = []
    with psycopg.connect(api.settings.database_url.get_secret_value()) as connection:
        cursor = psycopg.ClientCursor(connection)
        for text, values in statements:
            for part in cursor.mogrify(text, values).split("; "):  # settings and statement may come in one message
                if "set_config(" in part:
                    connection.execute("SELECT set_config('role', 'none', true)")
                    connection.execute(part.encode())
                elif part.lstrip().upper().startswith(("SELECT", "WITH")):
                    plan = connection.execute(f"EXPLAIN (FORMAT JSON) {part}".encode()).fetchone()
                    assert plan is not None
                    found += [f"{what}: {part[:300]}" for what in read_through(plan[0][0]["Plan"])]
    return found


async def test_no_list_goes_through_a_long_table(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    many = fill(api.settings.database_url.get_secret_value(), ROWS)
    person = await api.person(administrator=True)
    api.join(person, many.organization_id, github="owner")
    assert len(LISTS) > 2
    found = []
    for endpoint in LISTS:
        fixed = endpoint.path.replace("{id}", str(many.organization_id))
        for query in queries(endpoint.needs, many.organization_id):
            with recorded(monkeypatch) as sent:
                answer = await person.get(f"{fixed}{query}")
            assert answer.status_code == 200, (fixed, query, answer.text)
            assert sent
            found += [f"{fixed}{query}: {what}" for what in explain(api, sent)]
    assert found == []


def queries(needs: Needs, organization_id: int) -> list[str]:
    """How each list is asked: as it is, and of one organization."""
    return ["", f"?organization_id={organization_id}"] if needs is not Needs.ADMINISTRATOR else [""]


async def test_a_list_that_has_no_index_would_be_found(api: Api) -> None:
    fill(api.settings.database_url.get_secret_value(), 10_000)
    assert explain(api, [("SELECT * FROM analyses ORDER BY title LIMIT 5", None)]) != []
    assert json.dumps(explain(api, [("SELECT * FROM analyses WHERE id = %s", (1,))])) == "[]"
