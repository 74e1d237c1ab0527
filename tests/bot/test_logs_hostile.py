"""What strangers write reaches the log as text: it moves no cursor, turns no text around, and brings no secret along."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from bot.logs import ACTING, Redactor, set_up_logs
from bot.settings import parse_settings
from tests.builders_secrets import MADE_UP

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("hostile", ["a\x1b[2Jb", "a\x1b]0;title\x07", "a\x9b2J", "a\x7f\x08b", "a\x00b"])
def test_nothing_in_a_line_is_obeyed_by_a_terminal(form: str, hostile: str, capfd: pytest.CaptureFixture[str]) -> None:
    set_up_logs(parse_settings(log_format=form))
    structlog.get_logger().info("webhook refused", delivery=hostile)
    logging.getLogger("library").warning("could not read %s", hostile)
    assert ACTING.search(capfd.readouterr().err) is None


def test_one_event_is_one_line_whatever_its_values(capfd: pytest.CaptureFixture[str]) -> None:
    set_up_logs(parse_settings(log_format="json"))
    structlog.get_logger().info("webhook refused", delivery='x\n{"event": "forged"}\r\n')
    assert capfd.readouterr().err.count("\n") == 1


def test_text_is_not_turned_around(capfd: pytest.CaptureFixture[str]) -> None:
    set_up_logs(parse_settings(log_format="text"))
    structlog.get_logger().info("x", path="a\u202eb")
    assert "a\\u202eb" in capfd.readouterr().err


@pytest.mark.parametrize(
    "secret",
    [
        MADE_UP["github-token"],
        MADE_UP["anthropic-key"],
        MADE_UP["private-key"],
        MADE_UP["json-web-token"],
        "sha256=" + "0a" * 32,
    ],
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_secret_in_an_error_reaches_no_log(secret: str, form: str, capfd: pytest.CaptureFixture[str]) -> None:
    set_up_logs(parse_settings(log_format=form))
    try:
        raise ValueError(f"no answer to {secret}")
    except ValueError:
        structlog.get_logger().exception("bug", nested={"given": [secret]})
    said = capfd.readouterr().err
    assert "no answer to" in said
    assert secret.split("\n")[-2 if "\n" in secret else 0] not in said


def test_what_this_process_was_configured_with_is_taken_out_of_reports_at_any_depth() -> None:
    redact = Redactor(["hunter2hunter2"])
    event = {"exception": {"values": [{"value": "got hunter2hunter2", "line": 3}]}, "extra": ("x hunter2hunter2",)}
    assert redact.deep(event) == {
        "exception": {"values": [{"value": "got [redacted]", "line": 3}]},
        "extra": ["x [redacted]"],
    }


def test_nothing_that_acts_is_printable_so_a_printable_line_needs_no_second_look() -> None:
    assert [hex(code) for code in range(0x3000) if ACTING.match(chr(code)) and chr(code).isprintable()] == []


def test_neither_an_api_key_of_ours_nor_a_ticket_in_an_address_is_logged() -> None:
    redact, secret = Redactor(), "aB3-_" * 8
    assert redact(f"key riq_{secret} refused") == "key [redacted] refused"
    assert redact(f'"WebSocket /ws/analysis/7?ticket={secret}" 401') == '"WebSocket /ws/analysis/7?ticket=[redacted]" 401'
