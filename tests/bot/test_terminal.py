"""What reaches a terminal: the report with its colours, and never a control character of a stranger."""

import re
import sys
from io import StringIO

import pytest

from bot.terminal import harmless, say, text_report
from review.analysis import Skipped
from review.finding import Severity
from tests.builders_review import a_finding
from tests.review.reports.builders import a_mended_finding, an_analysis

pytestmark = pytest.mark.unit

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp\r\x08"
OURS = re.compile(r"\x1b\[[0-9;]*m")


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set in the test itself: pytest puts its own stdout in place after the fixtures have run."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", Terminal())


MENDED = a_mended_finding(2, 2, "def f(items=None):\n    items = items or []", "def f(items=[]):\n", severity=Severity.HIGH)


def test_a_report_for_people_reads_so() -> None:
    analysis = an_analysis(MENDED, notes=("No model looked at this change.",), skipped=(Skipped("logo.png", "binary"),))
    assert text_report(analysis) == (
        "app.py:2  high  correctness  ruff B006\n"
        "    A mutable default is shared between calls.\n"
        "    -def f(items=[]):\n"
        "    +def f(items=None):\n"
        "    +    items = items or []\n"
        "\n"
        "1 finding (1 high) in 1 file.\n"
        "Read: 1 file, 3 changed lines.\n"
        "Analyzers: ruff. Models: none.\n"
        "No model looked at this change.\n"
        "Not read (binary): logo.png.\n"
    )


def test_nothing_found_and_an_incomplete_look_are_told_apart() -> None:
    assert text_report(an_analysis()).startswith("Nothing to report.\nRead: 1 file")
    assert "This review is not complete" in text_report(an_analysis(partial=True))
    assert text_report(an_analysis(read=())).startswith("Nothing that can be reviewed.")


def test_a_terminal_gets_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    a_terminal(monkeypatch)
    shown = text_report(an_analysis(MENDED))
    assert "\x1b[31m    -def f(items=[]):\x1b[0m" in shown
    assert "\x1b[32m    +def f(items=None):\x1b[0m" in shown


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    a_terminal(monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    shown = text_report(an_analysis(MENDED))
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]", shown)


def test_long_lines_are_not_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    a_terminal(monkeypatch)
    message = "word " * 100
    assert message.strip() in text_report(an_analysis(a_finding(message=message.strip())))


def test_no_escape_sequence_of_a_path_a_message_or_code_gets_through(monkeypatch: pytest.MonkeyPatch) -> None:
    a_terminal(monkeypatch)
    analysis = an_analysis(
        a_finding(path=f"{HOSTILE}.py", message=f"{HOSTILE}\n{HOSTILE}", rule=HOSTILE, source=HOSTILE),
        a_mended_finding(1, 1, f"x = '{HOSTILE}'", f"y = '{HOSTILE}'\n"),
        notes=(HOSTILE,), skipped=(Skipped(HOSTILE, HOSTILE),), models=(HOSTILE,),
    )  # fmt: skip
    shown = OURS.sub("", text_report(analysis))
    assert all(c.isprintable() or c == "\n" for c in shown)
    assert "\\x1b]0;owned\\x07" in shown and "\\u202e" in shown


def test_what_a_terminal_would_obey_is_written_out_and_the_rest_is_left() -> None:
    assert harmless("naïve 日本語 \x1b[1m\t\udcff\x00") == "naïve 日本語 \\x1b[1m\\t\\udcff\\x00"
    assert harmless("two\nlines", keep="\n") == "two\nlines"


def test_notes_on_stderr_are_harmless_too(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"first\n{HOSTILE}")
    assert capsys.readouterr().err == f"first\n{harmless(HOSTILE)}\n"
