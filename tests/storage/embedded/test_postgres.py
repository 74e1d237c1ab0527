"""Finding a Postgres to embed, and what a start that was cut short leaves behind."""

from pathlib import Path

import pytest

from review.errors import UserError
from storage.embedded import embedded_services, postgres
from tests.storage.embedded.holding import leave_a_trace

pytestmark = pytest.mark.integration


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor or Python that the wheel does not exist for."""
    monkeypatch.setattr(postgres, "WHEEL", "no_such_wheel")


def programs(folder: Path, *names: str) -> Path:
    for name in names:
        program = folder / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    return folder


@pytest.mark.usefixtures("no_wheel")
def test_without_a_wheel_the_programs_on_the_path_serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(programs(tmp_path, "postgres", "initdb")))
    assert postgres.find_programs() == tmp_path


@pytest.mark.usefixtures("no_wheel")
def test_without_a_wheel_pg_config_knows_where_debian_keeps_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = programs(tmp_path / "server", "postgres", "initdb")
    pg_config = programs(tmp_path / "bin", "pg_config") / "pg_config"
    pg_config.write_text(f"#!/bin/sh\necho '{server}'\n")
    monkeypatch.setenv("PATH", str(pg_config.parent))
    assert postgres.find_programs() == server


@pytest.mark.usefixtures("no_wheel")
def test_without_any_postgres_a_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_folders_on_path", lambda: [programs(tmp_path, "postgres")])
    with pytest.raises(UserError, match="apt-get install postgresql"):
        postgres.find_programs()


@pytest.mark.fault
def test_a_cluster_that_was_half_made_is_made_anew(tmp_path: Path) -> None:
    half = tmp_path / "postgres" / "data.new"
    half.mkdir(parents=True, mode=0o700)
    (half / "PG_VERSION").write_text("18\n")
    with embedded_services(tmp_path, durable=False) as services:
        leave_a_trace(services, "whole")
    assert not half.exists()
