"""Whether what stands in the place of a secret is one: not a placeholder, an example, a name, or the password of a laptop."""

import re
from collections import Counter
from collections.abc import Mapping
from math import log2

BLANKED = "…[secret]"
"""What is left of a secret that was blanked already."""

EXAMPLE = re.compile(r"EXAMPLE|^Eby8vdM02xNOcqFlqU|[Xx]{6}|\*{3}|\.{3}|0{8}|1234567890|" + re.escape(BLANKED))
"""The key that begins with `Eby8` is Azure's own for its emulator, the same on every machine."""

PLACEHOLDER = re.compile(
    r"example|placeholder|change.?(me|it|this)|your|dummy|fake|sample|xxx|redacted|replace|insert|todo|default|insecure.?dev"
    r"|foo|bar\b|test|^password|^[<\[{%$:].*|[<{(\[]\w[\w .-]*[>})\]]|\$\w|\$\{|%[a-z(]|\{\{|\{\}|#\{|\.\.\.|\*\*\*|://",
    re.IGNORECASE,
)
NOT_A_SECRET = re.compile(
    r"(name|names|field|header|uri|url|path|file|filename|dir|label|type|format|pattern|regex|prefix|suffix|param|parameter|env|var"
    r"|id|hint|help|text|message|msg|error|title|class|style|selector|input|column|attr|attribute|endpoint|route|scope|size|length"
    r"|algorithm|alg|hash|version|source|kind|policy|rule|rules|mode|strategy|provider|backend|claim|alias|section|option)s?$",
    re.IGNORECASE,
)
"""Endings of names for something about a secret: `token_url`, `passwordField`, `secret-name`."""

PASSWORD = re.compile(r"passw|passphrase|pwd", re.IGNORECASE)
WORD = re.compile(r"[A-Z]?[a-z]{2,}|[A-Z]{2,}|^[A-Za-z]$|[vV]?\d{1,4}")
SEPARATORS = re.compile(r"[-_./:@#,+=&;|\s]+")
LOCAL = re.compile(
    r"localhost|127\.[\d.]+|0\.0\.0\.0|host\.docker\.internal"
    r"|(.+\.)?(example(\.\w+)?|(host|hostname|server|domain|site)\.(com|net|org)|test|invalid|local|localdomain)"
)
PRIVATE = re.compile(r"(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.[\d.]+")
MIN_BITS = 3.0
"""Bits of entropy for each character: English words have less, random letters and digits of this length more."""


def is_made_up(secret: str, around: Mapping[str, str | None]) -> bool:
    """Whether this is no real secret, judged by its form and the groups `key` (its name) and `host` (of its address)."""
    if EXAMPLE.search(secret) or len(set(secret)) < 3:
        return True
    key, host = around.get("key"), around.get("host")
    if host:
        return _harmless_in_url(secret, host)
    return bool(key) and _harmless_value(secret, key or "")


def _harmless_in_url(secret: str, host: str) -> bool:
    if PLACEHOLDER.search(secret) or LOCAL.fullmatch(host.lower()):
        return True
    return not _random(secret) and ("." not in host or PRIVATE.fullmatch(host) is not None)  # `postgres:postgres@db`


def _harmless_value(secret: str, key: str) -> bool:
    if PLACEHOLDER.search(secret) or NOT_A_SECRET.search(key) or "public" in key.lower():
        return True
    if PASSWORD.search(key):
        return not _like_a_password(secret)
    return not _random(secret)


def _like_a_password(value: str) -> bool:
    """Letters and digits in one run, or a sign that no name has: `Summer2024`, `s3cr3t!pass`."""
    mixed = any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
    return mixed and (_random(value) or not SEPARATORS.search(value))


def _random(value: str) -> bool:
    """Letters and digits (or signs) without order: neither words with separators nor one word or number after another."""
    if not any(c.isdigit() for c in value) or not any(c.isalpha() for c in value):
        return False
    parts = [part for part in SEPARATORS.split(value) if part]
    if all(WORD.sub("", part) == "" for part in parts):
        return False
    return _bits(value) >= MIN_BITS


def _bits(value: str) -> float:
    counts = Counter(value)
    return -sum(n / len(value) * log2(n / len(value)) for n in counts.values())
