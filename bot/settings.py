"""Settings: the only room that reads the environment. Read once, checked, and handed down."""

import base64
import binascii
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.addresses import http_address, networks, origins, redis_address
from review.errors import UserError

POSTGRES = re.compile(r"postgres(?:ql)?(?:\+\w+)?://")
SSL = re.compile(r"(?<=[?&])ssl=")
OF_APIS_ALONE = re.compile(r"api\.(github\.com|[\w-]+\.ghe\.com)")
"""Hosts of an API and nothing else: the web is at the rest of their name."""


S = TypeVar("S", bound="ModelSettings")


class Environment(StrEnum):
    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class ModelSettings(BaseSettings):
    """Which models are asked, and the way out to them: all that a review on one's own machine needs to know.

    No file is read: the working folder may be a stranger's checkout, whose `.env` could send our keys elsewhere.
    """

    # An empty variable counts as none: that is how `.env.example` and docker compose leave out what is not set.
    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, env_ignore_empty=True)

    openai_api_key: SecretStr = SecretStr("")
    openai_base_url: str = ""
    openai_model: str = "gpt-5.1"
    anthropic_api_key: SecretStr = SecretStr("")
    anthropic_base_url: str = ""
    anthropic_model: str = "claude-sonnet-5-5"
    model_providers: Annotated[tuple[Literal["openai", "anthropic"], ...], NoDecode] = ("openai", "anthropic")
    embedder: Literal["hashing", "openai", "sentence-transformers"] = "hashing"
    embedding_model: str = "text-embedding-3-small"
    embedding_base_url: str = ""
    embedding_api_key: SecretStr = SecretStr("")
    embedding_dimensions: int = Field(default=384, ge=1, le=4_000)  # what pgvector builds an index of
    embedding_path: Path | None = None
    https_proxy: str = Field(default="", repr=False)  # may hold a password
    ssl_cert_file: str = ""

    @field_validator("model_providers", mode="before")
    @classmethod
    def _providers(cls, value: object) -> object:
        return tuple(part.strip().lower() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("openai_base_url", "anthropic_base_url", "embedding_base_url")
    @classmethod
    def _base_url(cls, value: str) -> str:
        return http_address(value)


class Settings(ModelSettings):
    """Every setting under its environment name in lower case; `.env` in the working folder is read too.

    The names are a contract, described in `.env.example`. Secrets are SecretStr, so that printing the settings shows none.
    """

    model_config = SettingsConfigDict(env_file=".env")

    environment: Environment = Environment.DEVELOPMENT
    secret_key: SecretStr = SecretStr("")
    data_dir: Path = Path(".data")
    storage_url: str = ""
    database_url: SecretStr = SecretStr("")
    redis_url: SecretStr = SecretStr("")

    github_app_id: str = ""
    github_private_key: SecretStr = SecretStr("")
    github_webhook_secret: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    github_client_id: str = ""
    github_client_secret: SecretStr = SecretStr("")
    github_api_url: str = "https://api.github.com"
    github_web_url: str = ""

    redis_cache_url: SecretStr = SecretStr("")
    database_replica_url: SecretStr = SecretStr("")
    smtp_url: SecretStr = SecretStr("")
    mail_from: str = ""
    trusted_proxies: str = ""
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    registration: bool = True
    requests_per_minute: int = Field(default=100, ge=1)
    logins_per_minute: int = Field(default=5, ge=1)
    analyses_per_hour: int = Field(default=10, ge=1)
    upload_max_bytes: int = Field(default=256 * 1024 * 1024, ge=1)
    upload_max_files: int = Field(default=5_000, ge=1)
    upload_days: float = Field(default=7, gt=0)
    export_days: float = Field(default=7, gt=0)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    public_url: str = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["", "json", "text"] = ""
    sentry_dsn: SecretStr = SecretStr("")

    @property
    def production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @property
    def web_url(self) -> str:
        """GITHUB_WEB_URL, or what goes with the API's address: github.com, HOST of `https://HOST/api/v3`, or NAME.ghe.com."""
        parts = urlsplit(self.github_api_url)
        apart = OF_APIS_ALONE.fullmatch(parts.netloc)
        return self.github_web_url or f"{parts.scheme}://{apart[1] if apart else parts.netloc}"

    @property
    def json_logs(self) -> bool:
        return self.log_format == "json" or (self.log_format == "" and self.production)

    @field_validator("github_webhook_secret", mode="before")
    @classmethod
    def _secrets(cls, value: object) -> object:
        """Several secrets with commas: the old one stays valid while GitHub is given the new one."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _origins(cls, value: object) -> object:
        return origins(value) if isinstance(value, str) else value

    @field_validator("log_level", "environment", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("data_dir")
    @classmethod
    def _data_dir(cls, value: Path) -> Path:
        return value.expanduser()

    @field_validator("database_url", "database_replica_url", mode="before")
    @classmethod
    def _database(cls, value: object) -> object:
        """Heroku's `postgres://`, SQLAlchemy's and asyncpg's spellings all become libpq's `postgresql://`."""
        text = (value.get_secret_value() if isinstance(value, SecretStr) else str(value or "")).strip()
        if not text:
            return SecretStr("")
        scheme = POSTGRES.match(text)
        if scheme is None:
            raise ValueError("must start with postgresql:// (postgres:// and postgresql+asyncpg:// are understood too)")
        rest = text[scheme.end() :]
        return SecretStr("postgresql://" + (SSL.sub("sslmode=", rest) if "asyncpg" in scheme.group() else rest))

    @field_validator("redis_url", "redis_cache_url")
    @classmethod
    def _redis(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        return SecretStr(redis_address(value.get_secret_value(), clusters=info.field_name != "redis_url"))

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies(cls, value: str) -> str:
        return networks(value)

    @field_validator("storage_url")
    @classmethod
    def _storage(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in ("file", "s3"):
            raise ValueError("must start with file:// or s3://")
        return value

    @field_validator("github_private_key", mode="before")
    @classmethod
    def _private_key(cls, value: object) -> object:
        text = value.get_secret_value() if isinstance(value, SecretStr) else str(value or "")
        return SecretStr(read_private_key(text) if text.strip() else "")

    @field_validator("github_api_url", "github_web_url", "public_url")
    @classmethod
    def _url(cls, value: str) -> str:
        return http_address(value)


def read_private_key(text: str) -> str:
    """The PEM behind any of the forms people paste: PEM text, PEM with `\\n` escapes, base64 of a PEM, or a path to one.

    Raises ValueError with a sentence that says which forms there are.
    """
    pem = _pem(text) or _pem(_contents(text.strip()))
    if not pem:
        raise ValueError("is neither PEM text, nor base64 of a PEM, nor the path of a readable file: use the .pem from GitHub")
    return pem


def _pem(text: str) -> str:
    """The PEM that the text is, or encodes; an empty string where it does neither."""
    text = text.strip().strip("\"'").replace("\\n", "\n").replace("\r\n", "\n")
    if text.startswith("-----BEGIN"):
        return text + "\n"
    try:
        decoded = base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return decoded if decoded.startswith("-----BEGIN") else ""


def _contents(path: str) -> str:
    try:
        return Path(path).expanduser().read_text()
    except (OSError, ValueError, RuntimeError):  # a directory, not readable, not text, a name that is none
        return ""


SHORTEST_KEY = 32
"""Characters of SECRET_KEY in production."""

SHORTEST_WEBHOOK_SECRET = 8
"""Characters of a webhook's secret in production."""

REQUIRED_IN_PRODUCTION = (
    ("secret_key", "signs what the bot writes; make one with `openssl rand -hex 32`"),
    ("database_url", "names the Postgres (14 or newer, with pgvector)"),
    ("redis_url", "names the Redis of the queue"),
    ("github_app_id", "is on the app's settings page on GitHub"),
    ("github_private_key", "is the .pem made on the app's settings page on GitHub"),
    ("github_webhook_secret", "is what you typed as the webhook's secret on GitHub"),
)


def read_settings(**overrides: object) -> Settings:
    """This process's settings. Raises UserError: a sentence for each setting that is wrong or, in production, missing."""
    settings = parse_settings(**overrides)
    missing = why_incomplete(settings)
    if missing:
        raise UserError("\n".join(missing))
    return settings


def parse_settings(**overrides: object) -> Settings:
    """The settings, complete or not. Raises UserError: a sentence for each one that is wrong."""
    return _read(Settings, overrides)


def why_incomplete(settings: Settings) -> list[str]:
    """A sentence for each secret that production needs and does not have; none anywhere else."""
    if not settings.production:
        return []
    required = REQUIRED_IN_PRODUCTION
    missing = [f"{name.upper()} is missing: it {what}." for name, what in required if not given(settings, name)]
    if 0 < len(settings.secret_key.get_secret_value()) < SHORTEST_KEY:
        missing.append("SECRET_KEY is too short for production: use at least 32 characters (`openssl rand -hex 32`).")
    if any(len(secret.get_secret_value()) < SHORTEST_WEBHOOK_SECRET for secret in settings.github_webhook_secret):
        missing.append("GITHUB_WEBHOOK_SECRET is too short for production: make one with `openssl rand -hex 32`.")
    return missing


def read_model_settings(**overrides: object) -> ModelSettings:
    """What `refactoriq review` needs to know. Raises UserError: a sentence for each setting that is wrong."""
    return _read(ModelSettings, overrides)


def _read(kind: type[S], overrides: Mapping[str, Any]) -> S:
    try:
        return kind(**overrides)
    except ValidationError as error:
        wrong = [f"{str(e['loc'][0]).upper()} {_sentence(e['msg'])}" for e in error.errors()]
        raise UserError("\n".join(wrong)) from None


def _sentence(words: str) -> str:
    """The end of a sentence that the setting's name begins: our own words, or pydantic's ("Input should be …")."""
    return words.removeprefix("Value error, ").replace("Input should", "should", 1) + "."


def given(settings: Settings, name: str) -> bool:
    """Whether the setting of that name (in lower case) is anything but empty."""
    value = getattr(settings, name)
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)


def has_github_app(settings: Settings) -> bool:
    """Whether there is a GitHub App to act as."""
    return given(settings, "github_app_id") and given(settings, "github_private_key")
