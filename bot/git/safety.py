"""The environment and settings under which git runs: nothing of the machine's own, nothing of the repository's."""

import base64
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

from bot.way_out import proxy_to
from review.errors import UserError

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""The tree without files, known to every SHA-1 repository: attributes are read from there, so that none hides a file."""

SETTINGS = {
    "attr.tree": EMPTY_TREE,
    "core.alternateRefsCommand": "false",
    "core.askPass": "",
    "core.attributesFile": os.devnull,
    "core.bigFileThreshold": "20m",  # larger files are shown as binary, never compared in memory
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.quotePath": "true",
    "core.sshCommand": "false",
    "credential.helper": "",
    "diff.renameLimit": "1000",
    "fetch.recurseSubmodules": "false",
    "fetch.unpackLimit": "2000000000",  # no .keep file: missing one hides that a bound was met
    "fetch.writeCommitGraph": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "protocol.allow": "never",
    "safe.directory": "*",
    "submodule.recurse": "false",
}
HTTP_SETTINGS = {
    "http.followRedirects": "false",  # a redirect would carry the token to another host
    "http.lowSpeedLimit": "1000",  # bytes a second
    "http.lowSpeedTime": "30",  # seconds: a server that hangs is given up
}
VARIABLES = {
    "GIT_ASKPASS": "",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
}


@dataclass(frozen=True, slots=True)
class Remote:
    """Where to fetch from: an http(s) address without credentials, the token for it, and the way there."""

    url: str
    token: str = field(default="", repr=False)
    proxy: str = field(default="", repr=False)
    ca_file: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            address = f"{parts.scheme}://{parts.hostname or ''}"
            raise UserError(f"{address} is no address to fetch from: use https:// without a password in it.")

    @property
    def scheme(self) -> str:
        return urlsplit(self.url).scheme

    @property
    def credential(self) -> str:
        """What Basic auth sends."""
        return base64.b64encode(f"x-access-token:{self.token}".encode()).decode()

    def redacted(self, words: str) -> str:
        """Git's words without the token, in whatever form."""
        for secret in (self.token, self.credential if self.token else "", self.proxy):
            words = words.replace(secret, "***") if secret else words
        return words


@lru_cache(maxsize=1)
def git_program() -> str:
    """The path of git. Raises UserError when there is none."""
    found = shutil.which("git")
    if found is None:
        raise UserError("git is not on the PATH: install git 2.38 or newer.")
    return found


def offline_environment(settings: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """For reading: no transport is allowed at all, whatever a repository's configuration says.

    `settings` go before our own; None takes one of ours away.
    """
    given = {key: value for key, value in {**SETTINGS, **(settings or {})}.items() if value is not None}
    return {**VARIABLES, "GIT_ALLOW_PROTOCOL": "none", **_configured(given)}


def online_environment(remote: Remote, settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """For fetching from `remote` and from nowhere else. The token stands here, and in no argument, file or address."""
    given = {**SETTINGS, **HTTP_SETTINGS, "remote.origin.url": remote.url, **(settings or {})}
    if remote.token:
        parts = urlsplit(remote.url)
        given[f"http.{parts.scheme}://{parts.netloc}/.extraHeader"] = f"Authorization: Basic {remote.credential}"
    environment = {**VARIABLES, "GIT_ALLOW_PROTOCOL": remote.scheme, **_configured(given)}
    if remote.ca_file:
        environment["GIT_SSL_CAINFO"] = remote.ca_file
    if through := proxy_to(remote.url, remote.proxy):
        environment["https_proxy"] = through
    return environment


def _configured(settings: Mapping[str, str]) -> dict[str, str]:
    """Settings as variables (git 2.31): they win over every file, and no argument list shows them."""
    environment = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return environment
