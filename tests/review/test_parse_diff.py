"""parse_diff on what real git writes for every odd change there is, held against the files themselves and the sandbox."""

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import pytest

from review.diff import Diff, FileDiff, FileKind, FileStatus, Line
from review.finding import Side
from review.lines import line_texts
from review.parse_diff import BROKEN, COMBINED, MOST_LINES, TOO_LARGE, NotADiff, parse_diff, parse_hunks
from tests.builders import BuiltRepository, Content, Executable, Submodule, Symlink, a_repository, commit, git
from tests.sandbox.changes import changes

pytestmark = pytest.mark.integration

TEN = "".join(f"line {number}\n" for number in range(1, 11))


@dataclass(frozen=True, slots=True)
class Case:
    """One change: what the path holds before and after, and what must be read. `old` and `new` are modes."""

    path: str
    before: Content
    after: Content
    status: FileStatus = FileStatus.MODIFIED
    kind: FileKind = FileKind.TEXT
    added: str = ""
    removed: str = ""
    old: str | None = "100644"
    new: str | None = "100644"


ADDED, REMOVED = FileStatus.ADDED, FileStatus.REMOVED
CASES = [
    Case("plain.py", TEN, TEN.replace("line 5\n", "five\n"), added="five", removed="line 5"),
    Case("new.py", None, "x\ny\n", ADDED, added="x|y", old=None),
    Case("gone.py", "p\nq\n", None, REMOVED, removed="p|q", new=None),
    Case("crlf.txt", b"a\r\nb\r\n", b"a\r\nB\r\n", added="B\r", removed="b\r"),
    Case("lone cr.txt", b"a\rb\nc\n", b"a\rB\nc\n", added="a\rB", removed="a\rb"),
    Case("no end.txt", b"a\nb", b"a\nB", added="B", removed="b"),
    Case("end came.txt", b"a\nb", b"a\nb\n", added="b", removed="b"),
    Case("end went.txt", b"a\nb\n", b"a\nb", added="b", removed="b"),
    Case("binary.bin", b"\0a", b"\0b", kind=FileKind.BINARY),
    Case("new.bin", None, b"\0a", ADDED, FileKind.BINARY, old=None),
    Case("mode only.sh", "x\n", Executable("x\n"), new="100755"),
    Case("mode and more.sh", "x\n", Executable("y\n"), added="y", removed="x", new="100755"),
    Case("empty new.txt", None, "", ADDED, old=None),
    Case("filled.txt", "", "x\n", added="x"),
    Case("emptied.txt", "x\n", "", removed="x"),
    Case("link", Symlink("a"), Symlink("b"), kind=FileKind.SYMLINK, old="120000", new="120000", added="b", removed="a"),
    Case("new link", None, Symlink("b"), ADDED, FileKind.SYMLINK, old=None, new="120000", added="b"),
    Case("sub", Submodule("1" * 40), Submodule("2" * 40), kind=FileKind.SUBMODULE, old="160000", new="160000",
         added="Subproject commit " + "2" * 40, removed="Subproject commit " + "1" * 40),
    Case("became link", "text\n", Symlink("x"), kind=FileKind.SYMLINK, new="120000", added="x", removed="text"),
    Case("became file", Symlink("x"), "text\n", old="120000", added="text", removed="x"),
    Case("became sub", "text\n", Submodule("3" * 40), kind=FileKind.SUBMODULE, new="160000",
         added="Subproject commit " + "3" * 40, removed="text"),
    Case("ünïcödé/日本.txt", "a\n", "b\n", added="b", removed="a"),
    Case('quo"te.txt', "a\n", "b\n", added="b", removed="a"),
    Case("back\\slash.txt", "a\n", "b\n", added="b", removed="a"),
    Case("tab\there.txt", "a\n", "b\n", added="b", removed="a"),
    Case("line\nend.txt", "a\n", "b\n", added="b", removed="a"),
    Case(" leading and trailing .txt ", "a\n", "b\n", added="b", removed="a"),
    Case("a b/b a/x b/y.txt", "a\n", "b\n", added="b", removed="a"),
    Case("spaced mode.sh b/spaced mode.sh", "x\n", Executable("x\n"), new="100755"),
    Case("latin\udce9.txt", "a\n", "b\n", added="b", removed="a"),
    Case("control\x01\x7f.txt", "a\n", "b\n", added="b", removed="a"),
    Case("latin1.txt", b"caf\xe9\n", b"caf\xe8\n", added="caf\udce8", removed="caf\udce9"),
    Case("separators.txt", "a\vb\fc\x1cd\x85e\u2028f\u2029g\n", "A\vb\fc\x1cd\x85e\u2028f\u2029g\n",
         added="A\vb\fc\x1cd\x85e\u2028f\u2029g", removed="a\vb\fc\x1cd\x85e\u2028f\u2029g"),
    Case("signs.sql", "-- a\n++ b\n@@ -1 +1 @@\n", "-- A\n++ B\n@@ -2 +2 @@\n",
         added="-- A|++ B|@@ -2 +2 @@", removed="-- a|++ b|@@ -1 +1 @@"),
    Case("looks like a diff.txt", None, "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n\\ No newline at end of file\n",
         ADDED, old=None, added="diff --git a/x b/x|--- a/x|+++ b/x|@@ -1 +1 @@|\\ No newline at end of file"),
    Case("blank lines.txt", "\n\n\na\n\n\n\n", "\n\n\n\nb\n \n\n\n\n", added="|b| ", removed="a"),
    Case("bom.py", b"\xef\xbb\xbfx\n", b"\xef\xbb\xbfy\n", added="\ufeffy", removed="\ufeffx"),
]  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuiltRepository:
    """All cases in one change."""
    base = {case.path: case.before for case in CASES if case.before is not None}
    return a_repository(tmp_path_factory.mktemp("odd") / "odd.git", base, {case.path: case.after for case in CASES})


@pytest.fixture(scope="module")
def diff(built: BuiltRepository) -> Diff:
    return parse_diff(built.diff())


def texts(file: FileDiff, sign: str) -> list[str]:
    return [line.text for line in file.lines() if (line.added if sign == "+" else line.removed)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: ascii(case.path))
def test_git_writes_it_and_it_is_read(case: Case, diff: Diff) -> None:
    file = diff.file(case.path)
    assert file is not None
    assert (file.status, file.kind, file.unread, file.previous_path) == (case.status, case.kind, "", None)
    assert "|".join(texts(file, "+")) == case.added
    assert "|".join(texts(file, "-")) == case.removed
    assert (file.old_mode, file.new_mode) == (case.old, case.new)


def test_every_change_is_one_file_in_gits_order(diff: Diff) -> None:
    paths = [file.path for file in diff.files]
    assert paths == sorted({case.path for case in CASES}, key=lambda path: path.encode(errors="surrogateescape"))


def test_a_change_of_type_is_told_as_one(diff: Diff) -> None:
    assert {file.path for file in diff.files if file.type_changed} == {"became link", "became file", "became sub"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: ascii(case.path))
def test_the_lines_are_those_of_the_files_at_both_ends(case: Case, diff: Diff, built: BuiltRepository) -> None:
    file = diff.file(case.path)
    assert file is not None
    if file.kind is not FileKind.TEXT:
        return
    for side, rev, there in ((Side.LEFT, built.base, case.before), (Side.RIGHT, built.head, case.after)):
        if there is None:
            assert all(line.number(side) is None for line in file.lines())
            continue
        data = built.read(case.path, rev)
        lines = line_texts(data)
        for line in file.lines():
            number = line.number(side)
            if number is not None:
                assert line.text == lines[number - 1]
                assert line.ends or (number == len(lines) and not data.endswith(b"\n"))


def test_the_line_numbers_are_the_sandboxs(diff: Diff, built: BuiltRepository) -> None:
    theirs = {file.path: file for file in changes(built.path, built.base, built.head).files}
    assert set(theirs) == {file.path for file in diff.files}
    for file in diff.files:
        if not file.type_changed:
            numbers = [(line.old, line.new) for line in file.lines()]
            assert numbers == [(line.left, line.right) for line in theirs[file.path].lines], file.path


def test_lines_know_whether_they_end(diff: Diff) -> None:
    came, went = diff.file("end came.txt"), diff.file("end went.txt")
    assert came and [(line.text, line.ends) for line in came.lines() if line.added or line.removed] == [
        ("b", False),
        ("b", True),
    ]
    assert went and [(line.text, line.ends) for line in went.lines() if line.added or line.removed] == [
        ("b", True),
        ("b", False),
    ]


RENAMES = [
    ("old.py", "new.py"),
    ("a b/old name.py", "c d/new name.py"),
    ("alt/é.py", "neu/é ü.py"),
    ('q"1.py', 'q"2.py'),
    ("t\tab.py", "t\tab2.py"),
    ("x b/y", "x b/z b/y"),
]


@pytest.mark.parametrize("edit", ["", "an edit\n"], ids=["pure", "edited"])
def test_renames_keep_both_paths(edit: str, tmp_path: Path) -> None:
    base = {old: f"{number}\n" + TEN * 3 for number, (old, _) in enumerate(RENAMES)}
    head: dict[str, Content] = {new: base[old] + edit for old, new in RENAMES}
    built = a_repository(tmp_path / "r.git", base, head | {old: None for old, _ in RENAMES})
    diff = parse_diff(built.diff())
    assert {(file.previous_path, file.path) for file in diff.files} == set(RENAMES)
    assert {file.status for file in diff.files} == {FileStatus.RENAMED}
    for old, new in RENAMES:
        file = diff.file(new)
        assert file and texts(file, "+") == ([edit.strip()] if edit else [])
        assert diff.base_file(old) == file
        assert diff.file(old) is None


def test_a_deleted_empty_file_has_no_lines(tmp_path: Path) -> None:
    (file,) = parse_diff(a_repository(tmp_path / "r.git", {"a b": ""}, {"a b": None}).diff()).files
    assert (file.path, file.status, file.hunks, file.unread) == ("a b", REMOVED, (), "")


def test_two_files_that_change_names_are_both_found(tmp_path: Path) -> None:
    one, two = TEN * 20, "other\n" * 200
    built = a_repository(tmp_path / "r.git", {"a": one, "b": two}, {"a": two + "x\n", "b": one + "y\n"})
    diff = parse_diff(git(built.path, "diff", "-M", "-B", "-U3", built.base, built.head))
    assert {(file.previous_path, file.path) for file in diff.files} == {("a", "b"), ("b", "a")}
    assert [diff.base_file("a"), diff.base_file("b")] == [diff.file("b"), diff.file("a")]


def test_three_thousand_files_and_ten_thousand_lines(tmp_path: Path) -> None:
    base = {f"d{number % 50}/f{number}.txt": "a\nb\n" for number in range(3000)}
    head: dict[str, Content] = dict.fromkeys(base, "a\nB\n")
    built = a_repository(tmp_path / "r.git", base | {"big.txt": "".join(f"{n}\n" for n in range(10_000))},
                         head | {"big.txt": "".join(f"{n}x\n" for n in range(10_000))})  # fmt: skip
    diff = parse_diff(built.diff())
    assert len(diff.files) == 3001
    assert diff.changed_lines == 2 * 3000 + 2 * 10_000
    big = diff.file("big.txt")
    assert big and big.added_numbers() == set(range(1, 10_001))


@pytest.mark.parametrize(
    "options", [("--no-prefix",), ("--src-prefix=i/", "--dst-prefix=w/"), ("--binary",), ("--full-index",)]
)
def test_other_ways_to_call_git_diff_are_read_too(options: tuple[str, ...], built: BuiltRepository, diff: Diff) -> None:
    other = parse_diff(git(built.path, "diff", "-M", "-U3", *options, built.base, built.head))
    assert [(f.path, f.status, f.kind, f.hunks) for f in other.files] == [
        (f.path, f.status, f.kind, f.hunks) for f in diff.files
    ]


def test_a_merges_combined_diff_is_named_but_not_read(tmp_path: Path) -> None:
    built = a_repository(tmp_path / "r.git", {"é x.txt": "a\nb\nc\n"}, {"é x.txt": "A\nb\nc\n"})
    other = commit(built.path, {"é x.txt": "a\nb\nC\n"}, ref="refs/heads/other", parents=[built.base])
    merge = commit(built.path, {"é x.txt": "A\nx\nC\n"}, ref="refs/heads/merge", parents=[built.head, other])
    (file,) = parse_diff(git(built.path, "show", "--format=", merge)).files
    assert (file.path, file.unread, file.hunks) == ("é x.txt", COMBINED, ())


def test_one_broken_file_does_not_lose_the_others(diff: Diff, built: BuiltRepository) -> None:
    data = built.diff().replace(b"+five\n", b"", 1)
    broken = parse_diff(data)
    assert [file.path for file in broken.files] == [file.path for file in diff.files]
    assert [(file.path, file.unread) for file in broken.files if file.unread] == [("plain.py", BROKEN)]
    assert [file for file in broken.files if file.path != "plain.py"] == [
        file for file in diff.files if file.path != "plain.py"
    ]


def test_a_diff_cut_anywhere_is_read_as_far_as_it_goes(diff: Diff, built: BuiltRepository) -> None:
    data = built.diff()
    for end in range(0, len(data), 97):
        whole = diff.files
        cut = parse_diff(data[:end]).files if data[:end].startswith(b"diff --") else ()
        assert len(cut) <= len(whole) + 1
        for ours, theirs in zip(cut[:-2], whole, strict=False):
            assert ours == theirs


def test_millions_of_lines_are_named_but_not_read_and_the_others_are() -> None:
    def added(name: str, lines: int) -> bytes:
        header = f"diff --git a/{name} b/{name}\nnew file mode 100644\n--- /dev/null\n+++ b/{name}\n@@ -0,0 +1,{lines} @@\n"
        return header.encode() + b"+\n" * lines

    started = perf_counter()
    bomb, small = parse_diff(added("bomb", 20 * MOST_LINES) + added("small", 2)).files
    assert perf_counter() - started < 2
    assert (bomb.path, bomb.status, bomb.hunks, bomb.unread) == ("bomb", FileStatus.ADDED, (), TOO_LARGE)
    assert (len(small.hunks[0].lines), small.unread) == (2, "")
    parts = parse_diff(b"".join(added(f"f{n}", MOST_LINES // 4) for n in range(6))).files
    assert [file.unread for file in parts] == ["", "", "", TOO_LARGE, TOO_LARGE, TOO_LARGE]


def test_nothing_is_an_empty_diff_and_prose_is_none() -> None:
    assert parse_diff(b"") == parse_diff(b"\n") == Diff()
    with pytest.raises(NotADiff):
        parse_diff(b"fatal: not a git repository\n")


def test_the_apis_patch_field_is_read_like_gits(diff: Diff, built: BuiltRepository) -> None:
    for file in changes(built.path, built.base, built.head).files:
        ours = diff.file(file.path)
        if file.patch is not None and ours is not None and not ours.type_changed:
            rows = file.patch.decode("utf-8", "surrogateescape").split("\n")
            assert parse_hunks(rows) == ours.hunks


def test_the_section_names_the_function_even_when_git_cut_a_character(tmp_path: Path) -> None:
    start = "def f():  # " + "é" * 60 + "\n"
    base = start + "".join(f"    line({n})\n" for n in range(20))
    built = a_repository(tmp_path / "r.git", {"a.py": base}, {"a.py": base.replace("line(15)", "other(15)")})
    (file,) = parse_diff(built.diff()).files
    assert file.hunks[0].section.startswith("def f():  # éé")
    assert file.hunks[0].section.isprintable()


def test_a_hunk_knows_its_numbers_on_both_sides() -> None:
    (hunk,) = parse_hunks(["@@ -3,3 +3,4 @@", " a", "-b", "+B", "+BB", " c"])
    assert (hunk.numbers(Side.LEFT), hunk.numbers(Side.RIGHT)) == (range(3, 6), range(3, 7))
    assert hunk.lines[1] == Line("b", 4, None)
    (hunk,) = parse_hunks(["@@ -1,2 +0,0 @@", "-a", "-b"])
    assert (hunk.numbers(Side.LEFT), hunk.numbers(Side.RIGHT)) == (range(1, 3), range(0))
