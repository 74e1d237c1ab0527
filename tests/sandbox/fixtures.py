"""The fixtures `github` and `models`: each test its own servers, held against GitHub's description at the end."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.app_key import AppKey, make_app_key
from tests.sandbox.contract import Contract, ContractMissing, load_contract
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.models import SandboxModels


@pytest.fixture(scope="session")
def app_key() -> AppKey:
    return make_app_key()


@pytest.fixture(scope="session")
def github_contract() -> Contract | None:
    """GitHub's own description; None where it cannot be had, which only CI takes for a failure."""
    try:
        return load_contract()
    except ContractMissing as missing:
        if os.environ.get("CI"):
            pytest.fail(f"CI holds the sandbox against GitHub's description, but {missing}")
        return None


@pytest.fixture
def github(tmp_path: Path, app_key: AppKey, github_contract: Contract | None) -> Iterator[SandboxGitHub]:
    """A GitHub on loopback. The test fails in the end if a request was not as GitHub describes it."""
    sandbox = SandboxGitHub(tmp_path / "github", app_key.private, app_key.public, contract=github_contract).start()
    try:
        yield sandbox
    finally:
        sandbox.stop()
    assert not sandbox.server.crashes, "\n".join(sandbox.server.crashes)
    if not sandbox.accept_violations:
        assert not sandbox.violations, "\n".join(sandbox.violations)


@pytest.fixture
def models() -> Iterator[SandboxModels]:
    """A model server on loopback that finds nothing until told otherwise."""
    sandbox = SandboxModels().start()
    try:
        yield sandbox
    finally:
        sandbox.stop()
