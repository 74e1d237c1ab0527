"""Clean text written by a model or a tool before it is posted: it may inform, never ping, embed, link, or hide."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

MAX_CHARACTERS = 4_000
MARKDOWN = MarkdownIt("commonmark", {"html": False})

# What GitHub would turn into a notification, a cross reference, a link or a formula. Inside a code span it does none of that.
# GitHub takes an underscore for the beginning of a word, Python does not. No part is longer than what may be one: linear time.
ACTIVE = re.compile(
    r"(?:https?|ftp|mailto|xmpp|data|javascript):\S+|(?<![^\W_])www\.\S+|(?<![\w.+-])[\w.+-]{0,100}@[\w/.-]+|@[\w/.-]+"
    r"|(?<![\w.-])[\w.-]{1,100}/[\w.-]{1,100}#\d+|#\d+|(?<![^\W_])GH-\d+|/refactoriq\b|\$\S*",
    re.IGNORECASE,
)
SPECIAL = re.compile(r"[\\`*\[\]<>~|]|(?<!\w)_|_(?!\w)|!(?=\[)|&(?=#?\w+;)")
LINE_START = re.compile(r"^(#{1,6}(?=\s|$)|[-+=](?=[\s=-]|$)|/(?=\w)|\d{1,9}(?=[.)](?:\s|$)))")
COMMAND = re.compile(r"^/(?=[a-z])", re.IGNORECASE | re.MULTILINE)
"""What bots that read comments take for an order (`/approve`), wherever in the text a line begins with it."""

MARK = re.compile(r"<!--(?=\s*refactoriq)", re.IGNORECASE)
"""How our own marks begin: one in somebody else's words must not be found by whoever looks for them."""

# Characters that show nothing, though Unicode counts them among the letters, signs and accents.
BLANK = frozenset(
    map(chr, (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x2800, 0x3164, *range(0xFE00, 0xFE10), 0xFFA0))
) | frozenset(map(chr, range(0xE0100, 0xE01F0)))


def cleaned(text: str) -> str:
    """Markdown that shows what `text` says: paragraphs, lists, code, and nothing that acts.

    Mentions, references, addresses and formulas become code; images, links and HTML become their words; invisible and
    control characters go; at most 4,000 characters are kept.
    """
    return "\n\n".join(_blocks(MARKDOWN.parse(visible(text)[:MAX_CHARACTERS]))).strip()


def visible(text: str) -> str:
    """The text without characters that show nothing (control, bidi, zero width, private, fillers); line ends become LF."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _unmarked("".join(c for c in text if c in "\n\t" or not is_hidden(c)))


def _unmarked(text: str) -> str:
    return MARK.sub("<! --", text)


def is_hidden(character: str) -> bool:
    """Whether the character shows nothing, or only changes how others are shown."""
    return character in BLANK or unicodedata.category(character).startswith("C")


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
            yield fenced(COMMAND.sub(" /", token.content.rstrip("\n")))
        elif token.type == "inline":
            line = _line(token.children or ())
            if line:
                line = LINE_START.sub(_escaped_start, line)
                yield f"- {line}" if depth else line


def _line(tokens: Sequence[Token]) -> str:
    """The inline parts on one line. A space between two code spans: backticks side by side would make other ones of them."""
    line = ""
    for part in _inline(tokens):
        line += f" {part}" if line.endswith("`") and part.startswith("`") else part
    return line.strip()


def _inline(tokens: Sequence[Token]) -> Iterator[str]:
    """Code spans as they are, and the text between them as one: what emphasis or a link takes apart may act together."""
    text = ""
    for token in tokens:
        if token.type == "code_inline":
            yield from _plain(text)
            yield code(token.content)
            text = ""
        elif token.type in ("softbreak", "hardbreak"):
            text += " "
        elif token.type == "image" or token.type in ("text", "text_special", "html_inline"):
            text += token.content
    yield from _plain(text)


def _plain(text: str) -> Iterator[str]:
    """Text that renders as itself: active parts as code, special characters escaped."""
    text, end = _unmarked(text), 0
    for match in ACTIVE.finditer(text):
        yield _escape(text[end : match.start()])
        yield code(match.group())
        end = match.end()
    yield _escape(text[end:])


def _escape(text: str) -> str:
    return SPECIAL.sub(lambda match: "\\" + match.group(), text)


def _escaped_start(match: re.Match[str]) -> str:
    start = match.group()
    return f"{start}\\" if start.isdigit() else f"\\{start}"
