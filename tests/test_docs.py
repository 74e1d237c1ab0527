"""The documentation says what the code does: its tables are held against the endpoints and the error codes."""

from pathlib import Path

import pytest

from handlers.api import ENDPOINTS
from handlers.api.endpoint import Endpoint, Needs
from handlers.api.problem import MEANINGS

pytestmark = pytest.mark.unit

API = Path(__file__).parent.parent / "docs" / "api.md"


def between(mark: str) -> str:
    """What stands between two marks of the page."""
    _, _, rest = API.read_text().partition(f"<!-- {mark} -->\n")
    return rest.partition(f"<!-- /{mark} -->")[0]


def codes() -> str:
    """The table of error codes."""
    rows = [f"| `{code}` | {meaning.status} | {meaning.words} |" for code, meaning in MEANINGS.items()]
    return "\n".join(["| code | status | means |", "|---|---|---|", *rows]) + "\n"


def _scope(endpoint: Endpoint) -> str:
    """What an API key must hold, where one may do this at all."""
    return "-" if endpoint.needs is Needs.NOBODY or endpoint.session_only else f"`{endpoint.scope}`"


def endpoints() -> str:
    """The table of endpoints."""
    rows = [f"| {e.method} | `{e.path}` | {e.summary} | {e.needs} | {_scope(e)} |" for e in ENDPOINTS]
    return "\n".join(["| | path | | least role | scope |", "|---|---|---|---|---|", *rows]) + "\n"


def test_every_error_code_is_documented() -> None:
    assert between("codes") == codes()


def test_every_endpoint_is_documented_with_who_may_call_it() -> None:
    assert between("endpoints") == endpoints()


def write() -> None:
    """Put the tables into the page: `python -m tests.test_docs`."""
    for mark, table in (("codes", codes()), ("endpoints", endpoints())):
        text = API.read_text()
        API.write_text(text.replace(f"<!-- {mark} -->\n{between(mark)}", f"<!-- {mark} -->\n{table}"))


if __name__ == "__main__":
    write()
