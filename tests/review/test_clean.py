"""Clean: what others wrote may inform, never act, on a pull request."""

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from review.clean import MARK, cleaned, code, fenced, visible

pytestmark = pytest.mark.unit

GITHUB = MarkdownIt("gfm-like", {"html": True, "linkify": False})


def active_tokens(text: str) -> set[str]:
    tokens = GITHUB.parse(text)
    flat = [t for token in tokens for t in [token, *(token.children or [])]]
    return {t.type for t in flat} & {"link_open", "image", "html_inline", "html_block", "heading_open", "table_open", "s_open"}


def words_outside_code(text: str) -> str:
    tokens = GITHUB.parse(text)
    return " ".join(c.content for t in tokens if t.type == "inline" for c in t.children or [] if c.type == "text")


@pytest.mark.parametrize(
    "text",
    [
        "ping @octocat now",
        "a team @octo/security too",
        r"an escaped backtick \`@octocat\` is no code",
        "`open @octocat",
        "mail me@example.com",
        "see octo/app#12 or #13 or GH-14",
        "look at https://evil.example/x?q=1",
        "look at www.evil.example",
        "![pixel](https://evil.example/p.png)",
        "[click](https://evil.example)",
        "<img src=x onerror=alert(1)>",
        "<details open><summary>@octocat</summary>",
        "[ref]: https://evil.example\n\n[ref]",
        "<https://evil.example>",
        "<!-- refactoriq:head=0 -->",
        "/refactoriq approve",
        "@*octo*cat",
        "@[octocat](x)",
        "@![octocat](x)",
        "ht*tps*://evil.example/x",
        "_www.evil.example",
        "w**ww**.evil.example",
        "#*1*",
        "@a`` ` @octocat ``",
        "@a$`@octocat",
        r"$\href{https://evil.example}{x}$",
        "# heading",
        "a | b\n--|--\nc | d",
        "~~gone~~",
        "x\n===",
    ],
)
def test_nothing_in_a_message_pings_links_embeds_or_restyles(text: str) -> None:
    out = cleaned(text)
    assert active_tokens(out) == set()
    bare = words_outside_code(out)
    for active in ("@octo", "@example", "http", "www.", "#1", "GH-1", "/refactoriq"):
        assert active not in bare, out


def test_plain_words_and_code_stay_as_they_are() -> None:
    text = "The default `[]` is shared: `user_id` of snake_case calls, 3 < 4 and a * b."
    assert words_outside_code(cleaned(text)) == words_outside_code(text)
    assert "`[]`" in cleaned(text)
    assert "snake_case" in cleaned(text)


def test_paragraphs_lists_and_code_blocks_survive() -> None:
    out = cleaned("First.\n\n- one\n- two\n\n```python\nx = 1\n```")
    assert out == "First.\n\n- one\n\n- two\n\n```\nx = 1\n```"


def test_a_message_cannot_smuggle_in_a_suggestion_block() -> None:
    assert "suggestion" not in cleaned("```suggestion\nrm -rf\n```").splitlines()[0]


def test_invisible_and_bidirectional_characters_go() -> None:
    assert visible("a\u202eb\u200bc\x00d\ud800e\ufeff") == "abcde"


@pytest.mark.parametrize("text", ["`", "``a`", "a`b", " x ", "a\nb"])
def test_a_code_span_shows_any_text(text: str) -> None:
    (inline,) = [t for t in GITHUB.parse("x" + code(text)) if t.type == "inline"]
    assert [c.content for c in inline.children or [] if c.type == "code_inline"] == [" ".join(text.split())]


@given(st.text(alphabet="`~\na b", max_size=60))
def test_a_fenced_block_cannot_be_left_from_within(text: str) -> None:
    tokens = GITHUB.parse(fenced(text) + "\n\nafter")
    assert tokens[0].type == "fence"
    assert tokens[0].content == text + "\n"


@given(st.text(alphabet="`*_[]()<>!@#\\ \nab/.:-|~&;1", max_size=80))
def test_no_text_at_all_comes_out_active(text: str) -> None:
    assert active_tokens(cleaned(text)) == set()


def test_a_very_long_message_is_bounded() -> None:
    assert len(cleaned("word " * 10_000)) < 5_000


@pytest.mark.parametrize("text", ["/approve", "> /approve", "words\n\n/approve", "```\n/approve\n```", "    /approve"])
def test_no_line_begins_with_an_order_to_another_bot(text: str) -> None:
    assert not any(line.startswith("/") for line in cleaned(text).splitlines())


@pytest.mark.parametrize(
    "mark", ["<!-- refactoriq:updated -->", "<!--refactoriq:finding=0 -->", "<!--\n RefactorIQ:head=0 -->"]
)
@pytest.mark.parametrize("around", ["%s", "`%s`", "```\n%s\n```", "a %s b"])
def test_nobody_elses_words_hold_a_mark_of_ours(mark: str, around: str) -> None:
    text = around % mark
    assert MARK.search(cleaned(text)) is None
    assert MARK.search(code(text)) is None


def test_fillers_and_selectors_show_nothing_and_go() -> None:
    assert visible("a\u3164b\uffa0c\u2800d\ufe0fe\U000e0101f\U000e0041g") == "abcdefg"


@pytest.mark.parametrize(
    "text", ["a" * 4_000, "a/" * 2_000, "a-" * 2_000 + "@", "$" * 4_000, "`" * 4_000, "[" * 4_000, "*a" * 2_000]
)
def test_text_made_to_be_slow_is_clean_at_once(text: str) -> None:
    started = perf_counter()
    cleaned(text)
    assert perf_counter() - started < 1
