"""Secrets: every form is found once, said without being repeated, and what only looks like one is left alone."""

from pathlib import Path
from time import monotonic

import pytest

from review.analyzers.secrets import Secrets, _search
from review.errors import AnalyzerFailed
from review.finding import Finding, Severity
from review.secrets.kinds import secret_kinds
from tests.builders_analyzers import found_by
from tests.builders_secrets import MADE_UP, letters, private_key

pytestmark = pytest.mark.unit


async def found_in(text: str | bytes, folder: Path, path: str = "src/app.py") -> list[Finding]:
    return await found_by(Secrets(), {path: text}, folder)


def test_there_is_a_made_up_secret_of_every_kind() -> None:
    assert set(MADE_UP) == {kind.rule for kind in secret_kinds()}


@pytest.mark.parametrize("rule", MADE_UP)
async def test_a_secret_of_each_kind_is_found_once_and_never_repeated(rule: str, tmp_path: Path) -> None:
    text = f"first = 1\n{MADE_UP[rule]}\nlast = 1\n"
    (finding,) = await found_in(text, tmp_path)
    assert finding.rule == rule
    assert 2 <= finding.location.first_line <= finding.location.last_line <= text.count("\n") - 1
    assert finding.severity.at_least(Severity.MEDIUM)
    assert "Revoke it" in finding.message
    assert "…[secret]" in finding.quote
    for hidden in (letters(12), "Q" * 16, "0a1b2c3d0a1b", "IBADANBgkq7h", "NoPqRsTuVw"):
        assert hidden not in finding.quote + finding.message


@pytest.mark.parametrize(
    "line",
    [
        'aws = "' + "AKIA" + "IOSFODNN7EXAMPLE" + '"',
        "token: ghp_" + "x" * 36,
        'password = os.environ["DB_PASSWORD"]',
        'os.environ.get("SECRET_KEY", "")',
        'password = "${DB_PASSWORD}"',
        'password = "{{ vault_password }}"',
        'password = "<your-password>"',
        'password = "changeme123"',
        'token_url = "https://auth.acme.io/oauth2/token"',
        'secret_name = "prod/app-1/db2-credentials"',
        'TOKEN_TYPE = "urn:ietf:params:oauth:token-type:jwt2"',
        'password_field = "userPassword2"',
        'api_key = "X-API-Key-2"',
        'secret_key = "session_secret_key_v2"',
        'token = "next_page_token"',
        'publicKeyToken="1fc8b3b9a1e18e3b"',
        'if token == "abc123def456ghi789jkl":',
        'password = getpass("Password: ")',
        "postgres://postgres:postgres@localhost:5432/app1",
        "postgres://app:app12345@db:5432/app",
        "https://user:password@example.com/",
        "redis://:$REDIS_PASSWORD@cache.acme.io",
        "amqp://guest:guest123@127.0.0.1",
        "mysql://scott:tiger@192.168.0.134/test",
        "AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqU" + letters(66) + "==",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu\n-----END PUBLIC KEY-----",
        "sha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'",
        '"AWS::IAM::AccessKey": "62d9a1b2c3d4e5f60718293a4b5c6d7e"',
    ],
)
async def test_placeholders_look_ups_and_names_are_no_secrets(line: str, tmp_path: Path) -> None:
    assert await found_in(f"{line}\n", tmp_path) == []


@pytest.mark.parametrize("address", ["app:tR7kq9vLm2xQ4w@192.168.0.134", "scott:tiger@172.32.0.134"])
async def test_a_random_password_or_a_public_address_is_no_matter_of_a_laptop(address: str, tmp_path: Path) -> None:
    (finding,) = await found_in(f"mysql://{address}/app\n", tmp_path)
    assert finding.rule == "password-in-url"


@pytest.mark.parametrize(
    "line",
    [
        'DB_PASSWORD = "tR7#kq9!vLm2"',
        "password: 's3cr3tPa55'",
        '{"clientSecret": "' + letters(20) + '"}',
        'self.config.api_key: str = "' + letters(32) + '"',
        'os.environ["API_TOKEN"] = "' + letters(20) + '"',
        'const authToken = "' + letters(24) + '";',
        "$password = 'Winter2024x';",
        'secretKey := "' + letters(24) + '"',
    ],
)
async def test_a_password_or_key_in_the_code_is_found_by_its_name(line: str, tmp_path: Path) -> None:
    (finding,) = await found_in(line, tmp_path, "src/config.ts")
    assert (finding.rule, finding.severity) == ("hard-coded-secret", Severity.HIGH)


@pytest.mark.parametrize("path", ["tests/test_app.py", "docs/setup.md", "examples/run.py", "src/app.test.ts", ".env.example"])
async def test_in_tests_and_documentation_only_the_sure_forms_count_and_count_less(path: str, tmp_path: Path) -> None:
    text = "\n".join([MADE_UP["hard-coded-secret"], MADE_UP["github-token"], MADE_UP["private-key"]])
    found = {finding.rule: finding.severity for finding in await found_in(text, tmp_path, path)}
    assert found == {"github-token": Severity.MEDIUM, "private-key": Severity.LOW}


async def test_a_private_key_is_one_finding_over_its_lines(tmp_path: Path) -> None:
    (finding,) = await found_in("a = 1\n" + private_key("EC ", 5, "\r\n") + "\n", tmp_path)
    assert (finding.location.first_line, finding.location.last_line) == (3, 7)


async def test_a_private_key_in_a_string_with_escapes_is_found(tmp_path: Path) -> None:
    (finding,) = await found_in(f'KEY = "{private_key(end=chr(92) + "n")}"\n', tmp_path)
    assert (finding.rule, finding.location.first_line) == ("private-key", 1)


async def test_two_keys_on_one_line_are_one_thing_to_mend(tmp_path: Path) -> None:
    assert len(await found_in(f"{MADE_UP['github-token']} {MADE_UP['github-token'][:-1]}z", tmp_path)) == 1


async def test_a_secret_far_into_a_long_line_is_found(tmp_path: Path) -> None:
    for place in (8_180, 8_192, 100_000):
        found = await found_in("x;" * (place // 2) + MADE_UP["stripe-key"] + ";x" * 9_000, tmp_path / str(place))
        assert [finding.rule for finding in found] == ["stripe-key"]


async def test_any_bytes_can_be_searched(tmp_path: Path) -> None:
    (finding,) = await found_in(b"\xff\xfe\x00\n\x0c\r\n" + MADE_UP["github-token"].encode(), tmp_path, "a.bin")
    assert finding.location.first_line == 3


@pytest.mark.parametrize(
    "unit",
    [
        "token.",
        "sk-proj-",
        "eyJaaaaaaaaaaa.",
        "aws key= ",
        'password="',
        "PuTTY-User-Key-File-2:",
        "-----BEGIN PRIVATE KEY-----\n",
        "IBADANBgkq7hXo2Zc9IBADANBgkqnnnn\n",
        "private key-\nIBADANBgkq7hXo2Zc9nnnnnn nnnn\n",
        "M",
    ],
)
async def test_text_made_to_be_slow_is_not(unit: str, tmp_path: Path) -> None:
    start = monotonic()
    await found_in(unit * (500_000 // len(unit)), tmp_path)
    assert monotonic() - start < 5


def test_when_the_time_is_over_what_was_found_stands(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x")
    with pytest.raises(AnalyzerFailed, match="its time was over before 1 of 1 files"):
        _search(tmp_path, ["a.py"], monotonic() - 1)
