"""Written files: nothing outside of the folder is touched, no name means something to a tool, and every path is found again."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.analyzers.written import HARMLESS, ODD, SETTINGS, harmless_names, write_files
from tests.builders_review import a_finding

pytestmark = pytest.mark.unit

HOSTILE = [
    "../escape.py", "/etc/escape.py", "a/../../escape.py", "-rf.py", "@file.py", "--config=x.py", ".bandit", "pyproject.toml",
    "sub/ruff.toml", "setup.cfg", "tox.ini", "a b.py", "ü.py", "a\nb.py", "x/" * 40 + "deep.py", "n" * 300 + ".py", "",
    "a//b.py", ".git/config", "caf\udce9.py", "tests/PyProject.TOML", "a\\b.py", "*.py", "$(touch x).py", "con/./a.py",
]  # fmt: skip


def test_hostile_paths_get_names_that_mean_nothing(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    written = write_files({path: path.encode(errors="surrogateescape") for path in HOSTILE}, root)
    assert [path.name for path in tmp_path.iterdir()] == ["root"]
    on_disk = {file.relative_to(root).as_posix(): file.read_bytes() for file in root.rglob("*") if file.is_file()}
    assert set(on_disk) == set(written.paths)
    for name, path in written.paths.items():
        assert on_disk[name] == path.encode(errors="surrogateescape")
        assert name.startswith(f"{ODD}/")
        assert not SETTINGS.search(name)
        assert not any(part[0] in "-.@" for part in name.split("/"))


def test_harmless_paths_keep_their_names(tmp_path: Path) -> None:
    written = write_files({"src/app.py": b"x", "sitecustomize.py": b"y"}, tmp_path)
    assert list(written.paths) == ["src/app.py", "sitecustomize.py"]
    assert (tmp_path / "src/app.py").read_bytes() == b"x"


def test_what_a_symbolic_link_points_to_is_never_opened_since_only_regular_files_are_made(tmp_path: Path) -> None:
    write_files({"link": b"/etc/passwd"}, tmp_path)
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "link").read_bytes() == b"/etc/passwd"


@pytest.mark.parametrize("pair", [("a.py", "A.py"), ("a", "a/b.py"), ("a/b.py", "a"), ("A/x.py", "a")])
def test_two_paths_never_share_a_place_even_where_case_does_not_count(pair: tuple[str, str], tmp_path: Path) -> None:
    written = write_files({pair[0]: b"1", pair[1]: b"2"}, tmp_path)
    assert [(tmp_path / name).read_bytes() for name in written.paths] == [b"1", b"2"]
    names = [name.casefold() for name in written.paths]
    assert len(set(names)) == 2
    assert not names[1].startswith(names[0] + "/")


def test_findings_get_the_repository_s_paths_back(tmp_path: Path) -> None:
    written = write_files({"-x.py": b"1", "b.py": b"2"}, tmp_path)
    odd = next(name for name, path in written.paths.items() if path == "-x.py")
    assert [finding.path for finding in written.renamed([a_finding(odd), a_finding("b.py")])] == ["-x.py", "b.py"]
    assert written.names(["b.py"]) == ["b.py"]


@given(st.lists(st.text(alphabet="aA./-@ \n\\\u00fc\udc80", max_size=20), unique=True, max_size=12))
def test_any_paths_at_all_get_different_harmless_names(paths: list[str]) -> None:
    names = harmless_names(paths)
    assert sorted(names.values()) == sorted(paths)
    assert len({name.casefold() for name in names}) == len(paths)
    for name in names:
        assert HARMLESS.fullmatch(name.removeprefix(ODD + "/")), name
