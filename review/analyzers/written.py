"""Write the files of one end of a change into a folder for tools: regular files, harmless names, none of the settings."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from review.finding import Finding

HARMLESS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}(/[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}){0,15}")
"""Names that are passed to programs and created as they are. No leading dot or dash, no `@`, nothing that is not ASCII."""

SETTINGS = re.compile(
    r"(^|/)(pyproject\.toml|setup\.cfg|tox\.ini|ruff\.toml|bandit\.ya?ml|pylintrc|mypy\.ini|package\.json|tsconfig[\w.-]*\.json"
    r"|[\w.-]*\.config\.\w+|biome\.jsonc?|oxlint\w*\.json|sgconfig\.ya?ml|sonar-project\.properties|Makefile)$",
    re.IGNORECASE,
)
"""Files that tools read for their own settings: they are written too, since they may hold secrets, but under another name."""

ODD = "+odd"
"""Where files with other names go. No harmless name begins with a plus."""


@dataclass(frozen=True, slots=True)
class WrittenFiles:
    """A folder of written files: regular ones, none of the repository's own settings.

    `paths` tells which path of the repository each name stands for. Names are relative to the folder, with `/`.
    """

    folder: Path
    paths: Mapping[str, str]

    def names(self, paths: Collection[str]) -> list[str]:
        """The names in the folder under which these paths of the repository were written."""
        return [name for name, path in self.paths.items() if path in paths]

    def renamed(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings with the repository's paths in place of the folder's names."""
        return [
            replace(finding, location=replace(finding.location, path=self.paths.get(finding.path, finding.path)))
            for finding in findings
        ]


def write_files(files: Mapping[str, bytes], folder: Path) -> WrittenFiles:
    """Write the files into `folder`, an empty one of ours. Nothing outside of it is touched, whatever the paths say."""
    names = harmless_names(files)
    for name, path in names.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(files[path])
    return WrittenFiles(folder, names)


def harmless_names(paths: Iterable[str]) -> dict[str, str]:
    """A name for each path: the path itself where it is harmless, otherwise one below `+odd` that still resembles it."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    folders: set[str] = set()
    for number, path in enumerate(paths):
        name = path
        if not HARMLESS.fullmatch(path) or SETTINGS.search(path) or _collides(path.casefold(), taken, folders):
            name = f"{ODD}/{number}/{_tamed(path)}"
        names[name] = path
        taken.add(name.casefold())
        folders.update(_folders(name.casefold()))
    return names


def _collides(name: str, taken: set[str], folders: set[str]) -> bool:
    """Whether a file system that ignores case would take it for another file or for a folder."""
    return name in taken or name in folders or any(folder in taken for folder in _folders(name))


def _folders(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:i]) for i in range(1, len(parts))]


def _tamed(path: str) -> str:
    """The path's last parts in harmless letters, their endings kept."""
    parts = [re.sub(r"[^A-Za-z0-9_.-]", "_", part)[-60:] for part in path.split("/")[-8:]]
    tamed = "/".join("_" + part if not part or part[0] in ".-" else part for part in parts)
    return re.sub(SETTINGS, lambda match: f"{match[1]}_{match[2]}", tamed)
