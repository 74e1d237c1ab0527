"""The fixtures `github` and `models`: each test its own servers, held against GitHub's description at the end."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.sandbox.contract import Contract, ContractMissing, load_contract
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.models import SandboxModels


@dataclass(frozen=True, slots=True)
class AppKey:
    """The app's RSA key pair; `private` is the PEM that GitHub would hand out."""

    private: str
    public: bytes


def make_app_key() -> AppKey:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    return AppKey(private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


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
