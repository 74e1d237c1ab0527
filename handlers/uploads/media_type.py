"""What a file is by what it holds. Its name only tells one text from another, where the text itself does not."""

import re
from pathlib import PurePosixPath

import puremagic
from identify import identify

SNIFFED = 8192
"""Bytes at the beginning of a file that are looked at."""

FEWEST = 3
"""Bytes that a magic number must have to be believed: shorter ones stand at the beginning of anything."""

UNKNOWN, PLAIN = "application/octet-stream", "text/plain"

COMMENTS = rb"\s*+(?><!--.*?-->\s*+|<\?xml[^>]*+>\s*+)*+"  # possessive: what a stranger wrote is tried in one way only
MARKUP = (
    (re.compile(COMMENTS + rb"<(?:!doctype\s+html|html)[\s>]", re.I | re.S), "text/html"),
    (re.compile(COMMENTS + rb"(?><!doctype[^>]*+>\s*+)?<svg[\s>]", re.I | re.S), "image/svg+xml"),
    (re.compile(rb"\s*+<\?xml\s", re.I), "application/xml"),
)
"""Texts that do something in a browser, whatever they are called."""

REGISTERED = {
    "css": "text/css", "csv": "text/csv", "html": "text/html", "javascript": "text/javascript", "json": "application/json",
    "markdown": "text/markdown", "svg": "image/svg+xml", "toml": "application/toml", "xml": "application/xml",
    "yaml": "application/yaml",
}  # fmt: skip
"""Media types that IANA knows; other languages are `text/x-…`."""

NAMED = {"c#": "csharp", "pyi": "python", "ts": "typescript"}
"""Languages that are called otherwise than identify calls them."""

NO_LANGUAGE = frozenset({"text", "plain-text"})
NO_TEXT = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")
"""Characters that stand in no text, whatever its encoding."""

BY_CONTENT = (
    (re.compile(rb"%PDF-"), "application/pdf"),
    (re.compile(rb"PK(?:\x03\x04|\x05\x06)"), "application/zip"),
    (re.compile(rb"\x7fELF"), "application/x-elf"),
)
"""What may look like text, what puremagic takes for one of its kin, and what it has no type for."""


def media_type(name: str, head: bytes) -> str:
    """The media type of a file that begins with `head`."""
    for pattern, kind in BY_CONTENT:
        if pattern.match(head):
            return kind
    if NO_TEXT.search(head):
        return _binary(head)
    return next((kind for pattern, kind in MARKUP if pattern.match(head)), None) or _text(name, head)


def _binary(head: bytes) -> str:
    try:
        guesses = puremagic.magic_string(head)
    except puremagic.PureError:
        return UNKNOWN
    likely = (guess.mime_type for guess in guesses if guess.mime_type and len(guess.byte_match) >= FEWEST)
    return next((kind for kind in likely if not kind.startswith("text/")), UNKNOWN)


def _text(name: str, head: bytes) -> str:
    tags = identify.tags_from_filename(PurePosixPath(name).name)
    languages = sorted((tags if "text" in tags else set()) - NO_LANGUAGE or _by_shebang(head))
    registered = next((REGISTERED[language] for language in languages if language in REGISTERED), None)
    if registered is not None or not languages:
        return registered or PLAIN
    return f"text/x-{NAMED.get(languages[0], languages[0])}"


def _by_shebang(head: bytes) -> set[str]:
    """The languages of `#!/usr/bin/env python3`."""
    first = head.partition(b"\n")[0]
    if not first.startswith(b"#!"):
        return set()
    words = first[2:].decode("utf-8", "replace").split()
    command = next((word for word in words if not word.endswith("/env") and not word.startswith("-")), "")
    return identify.tags_from_interpreter(PurePosixPath(command).name) - NO_LANGUAGE
