"""`refactoriq users create-admin`: the first administrator, or one more."""

import io
from typing import Any

import psycopg
import pytest

from bot.commands import users
from bot.commands.users import create_admin
from handlers.api.passwords import Passwords
from review.errors import UserError

pytestmark = pytest.mark.integration

PASSWORD = "four quite unrelated words"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)


def piped(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def typed(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    """At a terminal, these are typed one after the other."""
    said = list(answers)
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", terminal)
    monkeypatch.setattr("getpass.getpass", lambda _: said.pop(0))


def rows(database_url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database_url) as connection:
        return connection.execute(statement.encode()).fetchall()


def matches(database_url: str, password: str) -> bool:
    kept = rows(database_url, "SELECT password_hash FROM users")[0][0]
    return Passwords()._verify(kept, password)


def test_an_administrator_is_made_with_a_password_from_stdin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database_url: str
) -> None:
    piped(monkeypatch, f"{PASSWORD}\n")
    create_admin("Mona@EXAMPLE.com", "Mona")
    assert capsys.readouterr().out == "Made: Mona@example.com, an administrator.\n"
    assert rows(database_url, "SELECT email, full_name, administrator FROM users") == [("Mona@example.com", "Mona", True)]
    assert matches(database_url, PASSWORD)
    assert rows(database_url, "SELECT action, actor FROM audit_logs") == [("user.create_admin", "the command line")]


def test_where_nothing_is_given_a_password_is_made_and_shown_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database_url: str
) -> None:
    piped(monkeypatch, "")
    create_admin("mona@example.com")
    said = capsys.readouterr().out.splitlines()
    assert said[1].startswith("Password, shown this once: ")
    assert matches(database_url, said[1].rpartition(" ")[2])


def test_at_a_terminal_it_is_typed_twice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database_url: str
) -> None:
    typed(monkeypatch, PASSWORD, "something else")
    with pytest.raises(UserError, match="not the same"):
        create_admin("mona@example.com")
    typed(monkeypatch, PASSWORD, PASSWORD)
    create_admin("mona@example.com")
    assert PASSWORD not in capsys.readouterr().out
    assert matches(database_url, PASSWORD)


@pytest.mark.parametrize(("given", "because"), [("short", "at least 12"), ("password12345", "tried first")])
def test_a_weak_password_is_refused(monkeypatch: pytest.MonkeyPatch, database_url: str, given: str, because: str) -> None:
    piped(monkeypatch, given)
    with pytest.raises(UserError, match=because):
        create_admin("mona@example.com")
    assert rows(database_url, "SELECT count(*) FROM users") == [(0,)]


def test_somebody_who_is_there_is_promoted_and_opened_and_keeps_their_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database_url: str
) -> None:
    piped(monkeypatch, PASSWORD)
    create_admin("mona@example.com")
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE users SET administrator = false, disabled_at = now()")
    monkeypatch.setattr(users, "read_password", lambda _: pytest.fail("asked for a password"))
    create_admin("MONA@example.com")
    assert capsys.readouterr().out.endswith("mona@example.com is an administrator now. The password is what it was.\n")
    assert rows(database_url, "SELECT administrator, disabled_at FROM users") == [(True, None)]
    assert matches(database_url, PASSWORD)


def test_what_is_no_address_is_told(database_url: str) -> None:
    with pytest.raises(UserError, match="no e-mail address"):
        create_admin("mona")
