"""Each language is cut as its reader would: beside each source in tests/data/languages lies how its chunks must read."""

from pathlib import Path

import pytest

from review.context.parse import parse

pytestmark = pytest.mark.unit

SOURCES = sorted(path for path in (Path(__file__).parents[2] / "data" / "languages").iterdir() if path.suffix != ".chunks")


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.suffix[1:])
def test_a_source_is_cut_into_its_definitions(source: Path) -> None:
    assert outline(source) == source.with_name(f"{source.name}.chunks").read_text(encoding="utf-8")


def outline(source: Path) -> str:
    """One line a chunk: its lines, kind, symbol, signature and doc, and the names defined in it with their lines."""
    parsed = parse(source.name, source.read_bytes())
    assert parsed.note == ""
    rows = []
    for place, chunk in enumerate(parsed.chunks):
        names = [f"{each.name}:{each.line}" for each in parsed.definitions if each.chunk == place]
        what = f"{chunk.first_line}-{chunk.last_line} {chunk.kind} {chunk.symbol}"
        rows.append(" | ".join([what.strip(), chunk.signature, chunk.doc, " ".join(names)]))
    return "".join(f"{row.rstrip(' |')}\n" for row in rows)
