"""Logs and error reports of every process: one line an event, JSON in production, and no secret in either."""

import logging
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
import structlog
from pydantic import SecretStr
from structlog.typing import EventDict, Processor, WrappedLogger

from bot.settings import Settings

REDACTED = "[redacted]"

NEEDLES = (
    "gh",
    "github_pat_",
    "sk-",
    "earer ",
    "asic ",
    "token ",
    "@",
    "PRIVATE KEY",
    "eyJ",
    "AKIA",
    "xox",
    "sha256=",
    "riq_",
    "ticket=",
)
"""Nothing below can match a text that has none of these: one quick look spares most lines the slow one."""

SECRETS = re.compile(
    r"""
      (?P<keep_url>[a-z][a-z0-9+.-]{1,20}://)[^\s/@"'\\<>]+@              # userinfo of a URL
    | (?P<keep_auth>\b(?:[Bb]earer|[Bb]asic|token)\s+)[A-Za-z0-9._~+/=-]{8,}
    | -----BEGIN[ ][A-Z ]{0,20}PRIVATE[ ]KEY-----.*?(?:-----END[ ][A-Z ]{0,20}PRIVATE[ ]KEY-----|\Z)
    | \bgh[a-z]_[A-Za-z0-9_.=-]{16,}                                      # ghp_ ghs_ gho_ …; ghs_APPID_JWT is long, with dots
    | \bgithub_pat_[A-Za-z0-9_]{16,}
    | \beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*           # a JWT
    | \bsk-[A-Za-z0-9_-]{12,}                                             # OpenAI, Anthropic
    | \bAKIA[0-9A-Z]{16}
    | \bxox[a-z]-[A-Za-z0-9-]{10,}
    | \briq_[A-Za-z0-9_-]{16,}                                            # an API key of ours
    | (?P<keep_ticket>\bticket=)[A-Za-z0-9_-]{16,}                        # in a WebSocket's address
    | \bsha256=[0-9a-f]{64}                                               # a webhook's signature
    """,
    re.VERBOSE | re.DOTALL,
)

ACTING = re.compile(r"(?!\x1b\[[0-9;]*m)[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What a terminal would obey: control characters and reordering, colours apart."""


def _replacement(match: re.Match[str]) -> str:
    if match["keep_url"]:
        return f"{match['keep_url']}{REDACTED}@"
    return (match["keep_auth"] or match["keep_ticket"] or "") + REDACTED


def _shown(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode()


class Redactor:
    """Takes secrets out of text: what looks like one, and the values that this process was configured with."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        # Short values ("dev", "test") would tear holes into ordinary words.
        self._known = sorted({value for value in known if len(value) >= 8}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for value in self._known:
            if value in text:
                text = text.replace(value, REDACTED)
        if any(needle in text for needle in NEEDLES):
            return SECRETS.sub(_replacement, text)
        return text

    def deep(self, value: Any) -> Any:
        """The same through dicts, lists and tuples; what is no text stays as it is."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, Mapping):
            return {key: self.deep(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.deep(item) for item in value]
        return value


def known_secrets(settings: Settings) -> list[str]:
    """Every secret value of the settings, and the lines of the private key as they would look in a log."""
    values: list[str] = []
    for value in settings.__dict__.values():
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, SecretStr):
                values += [line.strip() for line in one.get_secret_value().splitlines() if not line.startswith("-----")]
    return values


class _Line:
    """The last processor: renders the event as one line, redacts it as a whole, and shows what a terminal would obey."""

    def __init__(self, render: Processor, redact: Redactor) -> None:
        self._render = render
        self._redact = redact

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> str:
        line = self._render(logger, method, event)
        line = self._redact(line.decode() if isinstance(line, bytes) else str(line))
        # Nothing that acts is printable: this quick look spares most lines the slow one.
        return line if line.isprintable() else ACTING.sub(_shown, line)


def _dumps(event: EventDict, default: Any = str, **_: Any) -> bytes:
    return orjson.dumps(event, default=default, option=orjson.OPT_NON_STR_KEYS)


def set_up_logs(settings: Settings) -> None:
    """Configure structlog and the standard library's logging for this process: one line an event on stderr."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render = _rendering(settings)
    structlog.configure(
        processors=[*shared, *render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    _set_up_standard_library(level, shared, render)


def _rendering(settings: Settings) -> list[Processor]:
    redact = Redactor(known_secrets(settings))
    if settings.json_logs:
        # A traceback is one string in the line: readable by people, and one pass of redaction covers it.
        return [structlog.processors.format_exc_info, _Line(structlog.processors.JSONRenderer(serializer=_dumps), redact)]
    console = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
    return [_Line(console, redact)]


def _set_up_standard_library(level: int, shared: list[Processor], render: list[Processor]) -> None:
    """What libraries log goes the same way. Theirs is worth reading from warnings on, unless we are asked for more."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level if level == logging.DEBUG else max(level, logging.WARNING))


def set_up_reports(settings: Settings) -> None:
    """Send bugs to Sentry where SENTRY_DSN is set: no request bodies, no headers, no local variables, no secrets."""
    dsn = settings.sentry_dsn.get_secret_value()
    if not dsn:
        return
    import sentry_sdk

    redact = Redactor(known_secrets(settings))
    sentry_sdk.init(
        dsn,
        environment=settings.environment.value,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        # Whatever patches frameworks would sit on the hot path; bugs are reported where they are caught.
        auto_enabling_integrations=False,
        before_send=lambda event, _: redact.deep(event),
        before_breadcrumb=lambda crumb, _: redact.deep(crumb),
    )


def report(error: BaseException, **where: str) -> None:
    """Tell Sentry of a bug, with what it concerned (`delivery`, `job` …). Nothing happens where there is no DSN."""
    sentry_sdk = sys.modules.get("sentry_sdk")
    if sentry_sdk is None:
        return
    with sentry_sdk.new_scope() as scope:
        for name, value in where.items():
            scope.set_tag(name, value)
        scope.capture_exception(error)
