"""Settings: every spelling that people use, what is refused and in which words, and that no secret is ever printed."""

import base64
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import SecretStr

from bot.settings import Settings, read_model_settings, read_settings
from review.errors import UserError
from tests.sandbox.app_key import AppKey

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("alone")]

ROOT = Path(__file__).parents[2]
CONTRACT = """
    DATABASE_URL REDIS_URL SECRET_KEY GITHUB_APP_ID GITHUB_PRIVATE_KEY GITHUB_WEBHOOK_SECRET GITHUB_CLIENT_ID
    GITHUB_CLIENT_SECRET
    GITHUB_API_URL OPENAI_API_KEY OPENAI_BASE_URL OPENAI_MODEL ANTHROPIC_API_KEY ANTHROPIC_BASE_URL ANTHROPIC_MODEL
    EMBEDDER EMBEDDING_MODEL EMBEDDING_BASE_URL EMBEDDING_API_KEY EMBEDDING_DIMENSIONS EMBEDDING_PATH
    MODEL_PROVIDERS STORAGE_URL DATA_DIR HOST PORT PUBLIC_URL GITHUB_WEB_URL LOG_LEVEL LOG_FORMAT SENTRY_DSN ENVIRONMENT
    HTTPS_PROXY SSL_CERT_FILE REDIS_CACHE_URL DATABASE_REPLICA_URL SMTP_URL MAIL_FROM TRUSTED_PROXIES CORS_ORIGINS REGISTRATION
    REQUESTS_PER_MINUTE LOGINS_PER_MINUTE ANALYSES_PER_HOUR UPLOAD_MAX_BYTES UPLOAD_MAX_FILES UPLOAD_DAYS EXPORT_DAYS
""".split()  # noqa: SIM905
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "k" * 32,
    "DATABASE_URL": "postgres://u:p@db/riq",
    "REDIS_URL": "redis://cache",
    "GITHUB_APP_ID": "1",
    "GITHUB_PRIVATE_KEY": "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----",
    "GITHUB_WEBHOOK_SECRET": "w" * 32,
}


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return read_settings()


def test_the_names_are_a_contract_and_all_are_in_the_example() -> None:
    assert {name.upper() for name in Settings.model_fields} == set(CONTRACT)
    example = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(example) == sorted(CONTRACT)


def test_the_example_as_it_stands_gives_the_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text((ROOT / ".env.example").read_text())
    from_example = read_settings()
    (tmp_path / ".env").unlink()
    assert from_example == read_settings()


def test_a_variable_wins_over_the_env_file_and_an_empty_one_does_not_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PORT=1111\nOPENAI_MODEL=from-file\nDATA_DIR=\n")
    settings = given(monkeypatch, PORT="2222", OPENAI_MODEL="", LOG_LEVEL="")
    assert (settings.port, settings.openai_model) == (2222, "from-file")
    assert (settings.data_dir, settings.log_level) == (Path(".data"), "info")


@pytest.mark.parametrize("form", ["PEM", "escapes", "quoted escapes", "base64", "base64 with line ends", "path", "CRLF"])
def test_the_private_key_is_understood_in_every_form(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, app_key: AppKey, form: str
) -> None:
    pem = app_key.private
    (tmp_path / "key.pem").write_text(pem)
    encoded = base64.b64encode(pem.encode()).decode()
    forms = {
        "PEM": pem,
        "escapes": pem.replace("\n", "\\n"),
        "quoted escapes": '"' + pem.replace("\n", "\\n") + '"',
        "base64": encoded,
        "base64 with line ends": "\n".join(re.findall(".{1,76}", encoded)),
        "path": str(tmp_path / "key.pem"),
        "CRLF": pem.replace("\n", "\r\n"),
    }
    settings = given(monkeypatch, GITHUB_PRIVATE_KEY=forms[form])
    read = load_pem_private_key(settings.github_private_key.get_secret_value().encode(), None)
    assert read.private_numbers() == load_pem_private_key(pem.encode(), None).private_numbers()  # type: ignore[union-attr]


@pytest.mark.parametrize("value", ["nonsense", "/nowhere/key.pem", "/", "aGVsbG8=", "x" * 5000])
def test_a_private_key_that_is_none_is_refused_with_the_forms_that_are(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    with pytest.raises(UserError, match="GITHUB_PRIVATE_KEY is neither PEM text, nor base64 of a PEM, nor the path") as caught:
        given(monkeypatch, GITHUB_PRIVATE_KEY=value)
    assert "x" * 100 not in str(caught.value)


def test_a_file_that_names_itself_is_no_endless_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(str(tmp_path / "key"))
    with pytest.raises(UserError, match="GITHUB_PRIVATE_KEY"):
        given(monkeypatch, GITHUB_PRIVATE_KEY=str(tmp_path / "key"))


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("postgres://u:p@h:5433/d", "postgresql://u:p@h:5433/d"),
        ("postgresql://u:p@h/d?sslmode=require", "postgresql://u:p@h/d?sslmode=require"),
        ("postgresql+asyncpg://u:p@h/d", "postgresql://u:p@h/d"),
        (
            "postgresql+asyncpg://u:p@h/d?application_name=x&ssl=require",
            "postgresql://u:p@h/d?application_name=x&sslmode=require",
        ),
        ("postgresql+psycopg://u@/d?host=/run/pg", "postgresql://u@/d?host=/run/pg"),
        (" postgres://h/d\n", "postgresql://h/d"),
        ("", ""),
    ],
)
def test_a_database_url_is_understood_in_every_spelling(monkeypatch: pytest.MonkeyPatch, url: str, read: str) -> None:
    assert given(monkeypatch, DATABASE_URL=url).database_url.get_secret_value() == read


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DATABASE_URL", "mysql://u:hidden-pass@h/d", "DATABASE_URL must start with postgresql://"),
        ("REDIS_URL", "http://:hidden-pass@h", "REDIS_URL must start with redis://, rediss:// or unix://"),
        ("STORAGE_URL", "ftp://h", "STORAGE_URL must start with file:// or s3://"),
        ("GITHUB_API_URL", "github.example.com", "GITHUB_API_URL must start with https://"),
        ("OPENAI_BASE_URL", "ftp://h", "OPENAI_BASE_URL must start with https://"),
        ("PORT", "99999", "PORT should be less than or equal to 65535."),
        ("LOG_LEVEL", "loud", "LOG_LEVEL "),
        ("ENVIRONMENT", "moon", "ENVIRONMENT "),
        ("MODEL_PROVIDERS", "openai,skynet", "MODEL_PROVIDERS "),
        ("EMBEDDER", "skynet", "EMBEDDER should be 'hashing', 'openai' or 'sentence-transformers'."),
        ("EMBEDDING_BASE_URL", "ftp://h", "EMBEDDING_BASE_URL must start with https://"),
        ("EMBEDDING_DIMENSIONS", "4001", "EMBEDDING_DIMENSIONS should be less than or equal to 4000."),
    ],
)
def test_a_setting_that_is_wrong_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    with pytest.raises(UserError, match=re.escape(sentence)) as caught:
        given(monkeypatch, **{name: value})
    assert "hidden-pass" not in str(caught.value)


def test_every_wrong_setting_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError) as caught:
        given(monkeypatch, PORT="x", REDIS_URL="x")
    assert sorted(line.split()[0] for line in str(caught.value).splitlines()) == ["PORT", "REDIS_URL"]


@pytest.mark.parametrize("url", ["redis://h:6379/0", "rediss://:p@h", "unix:///run/redis.sock?db=1"])
def test_a_redis_url_may_be_any_of_three(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert given(monkeypatch, REDIS_URL=url).redis_url.get_secret_value() == url


def test_several_webhook_secrets_come_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(monkeypatch, GITHUB_WEBHOOK_SECRET=" old , new,")
    assert settings.github_webhook_secret == (SecretStr("old"), SecretStr("new"))
    assert given(monkeypatch, GITHUB_WEBHOOK_SECRET=",").github_webhook_secret == ()


def test_providers_come_in_the_order_given(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings().model_providers == ("openai", "anthropic")
    assert given(monkeypatch, MODEL_PROVIDERS="Anthropic, openai").model_providers == ("anthropic", "openai")


def test_addresses_lose_their_last_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(monkeypatch, GITHUB_API_URL="https://ghe.example.com/api/v3/", PUBLIC_URL="https://riq.example.com/")
    assert (settings.github_api_url, settings.public_url) == ("https://ghe.example.com/api/v3", "https://riq.example.com")


def test_logs_are_json_in_production_and_where_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not read_settings().json_logs
    assert given(monkeypatch, **PRODUCTION).json_logs
    assert not given(monkeypatch, LOG_FORMAT="text").json_logs
    assert given(monkeypatch, ENVIRONMENT="development", LOG_FORMAT="json").json_logs


def test_a_complete_production_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert given(monkeypatch, **PRODUCTION).production


@pytest.mark.parametrize("name", sorted(set(PRODUCTION) - {"ENVIRONMENT"}))
@pytest.mark.parametrize("value", [None, ""])
def test_production_does_not_start_without_a_secret_and_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str | None
) -> None:
    variables = {**PRODUCTION, **({name: value} if value is not None else {})}
    if value is None:
        del variables[name]
    with pytest.raises(UserError) as caught:
        given(monkeypatch, **variables)
    assert str(caught.value).startswith(f"{name} is missing: it ")
    assert len(str(caught.value).splitlines()) == 1


def test_production_does_not_take_a_short_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="SECRET_KEY is too short for production"):
        given(monkeypatch, **PRODUCTION | {"SECRET_KEY": "k" * 31})
    with pytest.raises(UserError, match="GITHUB_WEBHOOK_SECRET is too short for production"):
        given(monkeypatch, **PRODUCTION | {"GITHUB_WEBHOOK_SECRET": f"secret,{'w' * 32}"})


def test_development_starts_with_nothing() -> None:
    assert not read_settings().production


def test_nothing_secret_is_in_the_settings_words(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {
        "SECRET_KEY": "hidden-a", "DATABASE_URL": "postgres://u:hidden-b@h/d", "REDIS_URL": "redis://:hidden-c@h",
        "GITHUB_PRIVATE_KEY": "-----BEGIN RSA PRIVATE KEY-----\nhidden-d", "GITHUB_WEBHOOK_SECRET": "hidden-e,hidden-f",
        "GITHUB_CLIENT_SECRET": "hidden-g", "OPENAI_API_KEY": "hidden-h", "ANTHROPIC_API_KEY": "hidden-i",
        "EMBEDDING_API_KEY": "hidden-l", "SENTRY_DSN": "https://hidden-j@sentry.example/1", "HTTPS_PROXY": "http://me:hidden-k@proxy:3128",
    }  # fmt: skip
    settings = given(monkeypatch, **secrets)
    for words in (repr(settings), str(settings), f"{settings!r:.5000}", repr(read_model_settings())):
        assert "hidden-" not in words


def test_the_models_settings_read_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OPENAI_API_KEY=theirs\n")
    assert read_settings().openai_api_key.get_secret_value() == "theirs"
    assert read_model_settings().openai_api_key.get_secret_value() == ""


def test_the_data_folder_may_be_named_from_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert given(monkeypatch, DATA_DIR="~/riq").data_dir == tmp_path / "riq"


def test_settings_cannot_be_altered() -> None:
    with pytest.raises(Exception, match="frozen"):
        read_settings().port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("api", "web"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://github.example.com/api/v3", "https://github.example.com"),
        ("https://github.example.com:8443/api/v3/", "https://github.example.com:8443"),
        ("https://api.octocorp.ghe.com", "https://octocorp.ghe.com"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("https://api.example.com", "https://api.example.com"),
    ],
)
def test_the_web_address_follows_from_the_apis(monkeypatch: pytest.MonkeyPatch, api: str, web: str) -> None:
    monkeypatch.setenv("GITHUB_API_URL", api)
    assert read_settings().web_url == web
    monkeypatch.setenv("GITHUB_WEB_URL", "https://elsewhere.example.com/")
    assert read_settings().web_url == "https://elsewhere.example.com"
