"""What an index proposes is shown as it stands at the base commit, and never twice."""

import pytest

from review.context.at_base import chunks_at_base, shown_at_base, unshown
from review.context.chunk import Chunk, Kind
from review.context.parse import parse
from review.diff import Diff
from tests.builders_context import DictTree, an_index, blob_of, indexed
from tests.builders_models import a_diff
from tests.builders_secrets import private_key

pytestmark = pytest.mark.unit

ONE = "def one():\n    return 1\n"
TWO = "def two():\n    return 2\n"
NEWER = "import os\n\n\ndef one():\n    return os.name\n"


async def test_an_unchanged_file_is_shown_as_the_index_kept_it() -> None:
    tree, index = DictTree({"a.py": ONE}), an_index({"a.py": ONE})
    chunks = await chunks_at_base(index, await indexed(index, "a.py"), [], tree)
    assert chunks == {"a.py": parse("a.py", ONE.encode()).chunks}
    assert tree.read_blobs == []


async def test_a_file_that_the_index_knows_in_another_version_is_cut_anew() -> None:
    tree, index = DictTree({"a.py": ONE}), an_index({"a.py": NEWER})
    chunks = await chunks_at_base(index, await indexed(index, "a.py"), [], tree)
    assert [(chunk.first_line, chunk.text) for chunk in chunks["a.py"]] == [(1, ONE.rstrip("\n"))]
    assert tree.read_blobs == [blob_of(ONE)]


async def test_a_file_that_is_not_at_the_base_is_not_shown() -> None:
    index = an_index({"a.py": ONE, "b.py": TWO})
    files = await indexed(index, "a.py", "b.py")
    assert list(await chunks_at_base(index, files, ["gone.py"], DictTree({"b.py": TWO}))) == ["b.py"]


async def test_files_of_the_change_that_no_index_knows_are_cut_too_and_come_first() -> None:
    index = an_index({"b.py": TWO})
    chunks = await chunks_at_base(index, await indexed(index, "b.py"), ["a.py"], DictTree({"a.py": ONE, "b.py": TWO}))
    assert list(chunks) == ["a.py", "b.py"]


async def test_what_no_index_takes_is_not_shown() -> None:
    tree = DictTree({"a.py": "\0" * 100, "b.png": "x"})
    assert await chunks_at_base(an_index({}), [], ["a.py", "b.png"], tree) == {}


async def test_without_a_tree_the_index_is_believed() -> None:
    index = an_index({"a.py": ONE})
    assert list(await chunks_at_base(index, await indexed(index, "a.py"), ["b.py"], None)) == ["a.py"]


async def test_no_part_of_a_key_is_shown_though_its_ends_are_elsewhere() -> None:
    text = "before\n" * 70 + private_key("RSA ", lines=150) + "\n" + "after\n" * 70
    index = an_index({"notes.txt": text})
    (chunks,) = (await chunks_at_base(index, await indexed(index, "notes.txt"), [], DictTree({"notes.txt": text}))).values()
    body = set(private_key("RSA ", lines=150).split("\n"))
    assert chunks
    assert not any(body & set(chunk.text.split("\n")) for chunk in chunks)


def test_the_lines_of_a_diff_are_those_of_the_base() -> None:
    diff = a_diff({"a.py": ONE}, {"a.py": f"# new\n{ONE}"})
    renamed = Diff(tuple(type(file)("b.py", hunks=file.hunks, previous_path="a.py") for file in diff.files))
    assert shown_at_base(diff) == shown_at_base(renamed) == {"a.py": {1, 2}}


def a_chunk(*lines: str) -> Chunk:
    return Chunk(Kind.FUNCTION, "f", 11, 10 + len(lines), "\n".join(lines))


@pytest.mark.parametrize(
    ("shown", "left"),
    [
        (set(), (11, 16)),
        ({11}, (12, 16)),
        ({16, 17}, (11, 15)),
        ({12}, (13, 16)),
        ({15}, (11, 13)),
        ({11, 12, 13}, None),
        (set(range(1, 100)), None),
    ],
)
def test_what_the_diff_shows_is_trimmed_and_much_of_it_taken_out(shown: set[int], left: tuple[int, int] | None) -> None:
    rest = unshown(a_chunk("11", "12", "13", "", "15", "16"), shown)
    assert (rest and (rest.first_line, rest.last_line)) == left
    if rest:
        assert rest.text.split("\n")[0] == str(rest.first_line)
        assert rest.text.split("\n")[-1] == str(rest.last_line)


def test_of_empty_lines_nothing_is_left() -> None:
    assert unshown(a_chunk("11", "", "", "", ""), {11}) is None
