"""Clean text written by a model or a tool before it is posted: it may inform, never ping, embed, link, or hide."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

MAX_CHARACTERS = 4_000
MARKDOWN = MarkdownIt("commonmark", {"html": False})

# What GitHub would turn into a notification, a cross reference, a link or a formula. Inside a code span it does none of that.
ACTIVE = re.compile(
    r"(?:https?|ftp|mailto|data|javascript):\S+|\bwww\.\S+|[\w.+-]*@[\w/.-]+|(?:[\w.-]+/[\w.-]+)?#\d+|\bGH-\d+|/refactoriq\b|\$\S*",
    re.IGNORECASE,
)
SPECIAL = re.compile(r"[\\`*\[\]<>~|]|(?<!\w)_|_(?!\w)|!(?=\[)|&(?=#?\w+;)")
LINE_START = re.compile(r"^(#{1,6}(?=\s|$)|[-+=](?=[\s=-]|$)|\d{1,9}(?=[.)](?:\s|$)))")


def cleaned(text: str) -> str:
    """Markdown that shows what `text` says: paragraphs, lists, code, and nothing that acts.

    Mentions, references, addresses and formulas become code; images, links and HTML become their words; invisible and
    control characters go; at most 4,000 characters are kept.
    """
    return "\n\n".join(_blocks(MARKDOWN.parse(visible(text)[:MAX_CHARACTERS]))).strip()


def visible(text: str) -> str:
    """The text without control, format (bidi, zero width), private and unpaired surrogate characters; line ends become LF."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in text if c in "\n\t" or not unicodedata.category(c).startswith("C"))


def code(text: str) -> str:
    """A code span of one line that shows `text` exactly, whatever backticks are in it (CommonMark 6.1)."""
    text = " ".join(visible(text).split())
    if not text:
        return ""
    fence = "`" * (_longest_run(text) + 1)
    pad = " " if text[0] == "`" or text[-1] == "`" else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def fenced(text: str, info: str = "") -> str:
    """A fenced block around `text`, with a fence longer than any run of backticks inside (CommonMark 4.5)."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{info}\n{text}\n{fence}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _blocks(tokens: Sequence[Token]) -> Iterator[str]:
    """Each block as Markdown. Lists become one level of bullets: nesting is not worth an escape hatch."""
    depth = 0
    for token in tokens:
        if token.type in ("list_item_open", "list_item_close"):
            depth += token.nesting
        elif token.type in ("fence", "code_block"):
            yield fenced(token.content.rstrip("\n"))
        elif token.type == "inline":
            line = "".join(_inline(token.children or ())).strip()
            if line:
                yield f"- {line}" if depth else LINE_START.sub(_escaped_start, line)


def _inline(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "code_inline":
            yield code(token.content)
        elif token.type in ("softbreak", "hardbreak"):
            yield " "
        elif token.type == "image" or token.type in ("text", "text_special", "html_inline"):
            yield _plain(token.content)


def _plain(text: str) -> str:
    """Text that renders as itself: active parts as code, special characters escaped."""
    parts, end = [], 0
    for match in ACTIVE.finditer(text):
        parts += [_escape(text[end : match.start()]), code(match.group())]
        end = match.end()
    return "".join([*parts, _escape(text[end:])])


def _escape(text: str) -> str:
    return SPECIAL.sub(lambda match: "\\" + match.group(), text)


def _escaped_start(match: re.Match[str]) -> str:
    start = match.group()
    return f"{start}\\" if start.isdigit() else f"\\{start}"
