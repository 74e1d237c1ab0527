"""Running the analyzers on a change: only what is new is said, whoever fails is named, and nothing is left behind."""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from review.analyzers import ANALYZERS
from review.errors import AnalyzerFailed
from review.finding import Finding
from review.run_analyzers import MOST, AnalyzersResult, run_analyzers
from tests.builders import Executable, Files, Symlink
from tests.builders_analyzers import a_change
from tests.builders_review import a_finding
from tests.builders_secrets import MADE_UP, letters

pytestmark = pytest.mark.integration


async def found(folder: Path, base: Files, head: Files) -> AnalyzersResult:
    built = a_change(folder / "repository", base, head)
    return await run_analyzers(built.change, built.head, built.base, tuple(analyzer() for analyzer in ANALYZERS))


def places(result: AnalyzersResult) -> set[tuple[str, str, int]]:
    return {(finding.rule, finding.path, finding.location.first_line) for finding in result.findings}


BASE = "import os\n\n\ndef first(items=[]):\n    return items\n\n\nprint(os.sep)\n"


async def test_what_stands_on_added_lines_is_said_and_what_stood_there_before_is_not(tmp_path: Path) -> None:
    head = BASE + f"eval(input())\n{MADE_UP['github-token']} = 1\n\n\ndef second(items={{}}):\n    return items\n"
    result = await found(tmp_path, {"app.py": BASE}, {"app.py": head})
    assert {("B307", "app.py", 9), ("github-token", "app.py", 10), ("B006", "app.py", 13)} <= places(result)
    assert ("B006", "app.py", 4) not in places(result)
    assert result.ran == ("ruff", "bandit", "secrets")
    assert result.notes == ()


async def test_a_finding_that_merely_moved_is_not_new(tmp_path: Path) -> None:
    moved = "import os\n\n\nprint(os.sep)\n\n\nclass Box:\n    def first(items=[]):\n        return items\n"
    result = await found(tmp_path, {"app.py": BASE}, {"app.py": moved})
    assert "B006" not in {finding.rule for finding in result.findings}


async def test_a_copy_of_a_line_that_was_bad_before_is_new(tmp_path: Path) -> None:
    head = BASE + "\n\nif os:\n    def first(items=[]):\n        return items\n"
    result = await found(tmp_path, {"app.py": BASE}, {"app.py": head})
    assert ("B006", "app.py", 12) in places(result)
    assert ("B006", "app.py", 4) not in places(result)


async def test_a_renamed_file_is_compared_with_its_old_self(tmp_path: Path) -> None:
    long = BASE + "".join(f"x{number} = {number}\n" for number in range(30))
    head = {"app.py": None, "moved/app.py": long + "exec(x1)\n"}
    result = await found(tmp_path, {"app.py": long}, head)
    assert {finding.rule for finding in result.findings} == {"B102"}


async def test_one_secret_in_place_of_another_is_new(tmp_path: Path) -> None:
    old, new = ("ghp_" + letters(35) + end for end in "ab")
    result = await found(tmp_path, {"a.env": f"TOKEN={old}\n"}, {"a.env": f"TOKEN={new}\n"})
    assert places(result) == {("github-token", "a.env", 1)}
    assert old not in repr(result)
    assert new not in repr(result)


@pytest.mark.parametrize(
    ("base", "head", "line"),
    [
        ("x = (1 +\n     2)\n\n\ndef f():\n    pass\n", "x = (1 +\n     2\n\n\ndef f():\n    pass\n", 2),
        ("x = (1 +\n     2\n     )\n\n\ndef f():\n    pass\n", "x = (1 +\n     2\n\n\ndef f():\n    pass\n", 3),
        ("x = 1\n", "x = 1\ny = (1 +\n", 2),
        ("x = 1\ny = 2\n", "x = '''1\ny = 2\n", 1),
        ("if x:\n    y = 1\nelse:\n    y = 2\n", "    y = 1\nelse:\n    y = 2\n", 1),
    ],
)
async def test_a_syntax_error_is_blamed_on_the_altered_line_and_not_where_it_was_noticed(
    base: str, head: str, line: int, tmp_path: Path
) -> None:
    result = await found(tmp_path, {"app.py": base}, {"app.py": head})
    assert places(result) == {("invalid-syntax", "app.py", line)}


async def test_a_file_that_was_broken_before_is_not_the_change_s_fault(tmp_path: Path) -> None:
    base = "print 'two'\n" + "x = 1\n" * 10
    result = await found(tmp_path, {"app.py": base}, {"app.py": base + "y = 2\n"})
    assert places(result) == set()


async def test_hostile_files_neither_run_nor_silence_anything(tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    code = f"open({str(mark)!r}, 'w')\n"
    head: Files = {
        "pyproject.toml": "[tool.ruff]\nexclude = ['*']\n[tool.bandit]\nskips = ['B307']\n",
        "ruff.toml": "exclude = ['*']\n",
        ".ruff.toml": "extend-exclude = ['app.py']\n",
        ".bandit": "[bandit]\nskips: B307\nexclude: /\n",
        "setup.cfg": "[bandit]\nskips = B307\n",
        ".gitignore": "*\n",
        "sitecustomize.py": code,
        "usercustomize.py": code,
        "bandit.py": code,
        "stevedore/__init__.py": code,
        "evil.pth": f"import os; open({str(mark)!r}, 'w')\n",
        "-rf.py": "eval(input())\n",
        "@file.py": "eval(input())\n",
        "--exit-zero.py": "eval(input())\n",
        "link.py": Symlink("/etc/passwd"),
        "run.py": Executable("eval(input())\n"),
        "app.py": "# ruff: noqa\n# flake8: noqa\neval(input())  # nosec  # noqa\ndef f(a=[]):  # noqa: B006\n    return a\n",
    }
    result = await found(tmp_path, {"README": "x\n"}, head)
    assert not mark.exists()
    assert {finding.path for finding in result.findings if finding.rule == "B307"} == {
        "-rf.py", "@file.py", "--exit-zero.py", "run.py", "app.py",
    }  # fmt: skip
    assert ("B006", "app.py", 4) in places(result)
    assert result.notes == ()


@dataclass
class Scripted:
    """An analyzer that does what the test says, and remembers where it looked."""

    does: Callable[[Sequence[str]], list[Finding]]
    name: str = "scripted"
    hangs: bool = False
    folders: list[Path] = field(default_factory=list)

    def wants(self, path: str) -> bool:
        return path.endswith(".py")

    async def analyze(self, folder: Path, paths: Sequence[str]) -> list[Finding]:
        self.folders.append(folder)
        if self.hangs:
            await asyncio.sleep(60)
        return self.does(paths)


def fails(_paths: Sequence[str]) -> list[Finding]:
    raise AnalyzerFailed("it could not read b.py", [a_finding("a.py", 1, rule="X1")])


async def test_one_that_fails_is_named_its_findings_stand_and_so_do_the_others(tmp_path: Path) -> None:
    built = a_change(tmp_path, {"README": "x\n"}, {"a.py": "x\n", "b.py": "y\n"})
    good = Scripted(lambda _paths: [a_finding("b.py", 1, rule="X2")], "good")
    result = await run_analyzers(built.change, built.head, built.base, (Scripted(fails), good))
    assert [finding.rule for finding in result.findings] == ["X1", "X2"]
    assert result.notes == ("The analyzer scripted did not look at everything: it could not read b.py.",)
    assert result.ran == ("scripted", "good")


async def test_one_that_hangs_is_given_up_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.run_analyzers.SECONDS", 0.1)
    built = a_change(tmp_path, {"README": "x\n"}, {"a.py": "x\n"})
    result = await run_analyzers(built.change, built.head, built.base, (Scripted(fails, hangs=True),))
    assert (result.findings, result.ran) == ((), ())
    assert result.notes[0].startswith("The analyzer scripted did not look at everything: it was not done after")


async def test_one_that_fails_on_the_base_only_says_that_some_may_be_old(tmp_path: Path) -> None:
    built = a_change(tmp_path, {"a.py": "x\n"}, {"a.py": "x\ny\n"})
    looks: list[Sequence[str]] = []

    def on_the_head_only(paths: Sequence[str]) -> list[Finding]:
        looks.append(paths)
        if len(looks) > 1:
            raise AnalyzerFailed("it was ended by signal 9")
        return [a_finding("a.py", 2)]

    result = await run_analyzers(built.change, built.head, built.base, (Scripted(on_the_head_only),))
    assert len(result.findings) == 1
    assert "some findings may be old" in result.notes[0]


async def test_the_base_is_not_looked_at_where_nothing_was_found(tmp_path: Path) -> None:
    built = a_change(tmp_path, {"a.py": "x\n"}, {"a.py": "x\ny\n"})
    analyzer = Scripted(lambda _paths: [a_finding("a.py", 1)])
    assert (await run_analyzers(built.change, built.head, built.base, (analyzer,))).findings == ()
    assert len(analyzer.folders) == 1


async def test_a_flood_of_findings_is_bounded_and_said(tmp_path: Path) -> None:
    built = a_change(tmp_path, {"README": "x\n"}, {"a.py": "x\n" * (MOST + 5)})
    flood = Scripted(lambda _paths: [a_finding("a.py", line) for line in range(1, MOST + 6)])
    result = await run_analyzers(built.change, built.head, built.base, (flood,))
    assert len(result.findings) == MOST
    assert "1,005 things" in result.notes[0]


async def test_who_has_nothing_to_look_at_did_not_run(tmp_path: Path) -> None:
    result = await found(tmp_path, {"README": "x\n"}, {"notes.txt": "hello\n"})
    assert result == AnalyzersResult(ran=("secrets",))


async def test_the_folders_are_gone_afterwards_also_when_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    built = a_change(tmp_path / "repository", {"README": "x\n"}, {"a.py": "x\n"})
    for hangs in (False, True):
        analyzer = Scripted(lambda _paths: [], hangs=hangs)
        task = asyncio.create_task(run_analyzers(built.change, built.head, built.base, (analyzer,)))
        while not analyzer.folders:
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        assert analyzer.folders[0].is_relative_to(place)
        assert list(place.iterdir()) == []
