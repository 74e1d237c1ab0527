"""Tables as files: CSV that no spreadsheet takes for formulas, and a JSON array; written page by page."""

import csv
import json
import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
"""How a cell begins that a spreadsheet would calculate (OWASP, CSV injection); the last four are the wide forms."""


class TableFile(Protocol):
    """A file that takes rows."""

    def add(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write these rows."""
        ...

    def close(self) -> None:
        """There are no more."""
        ...


class CsvFile:
    """RFC 4180 in UTF-8: a line of names, then a line a row. Text that looks like a formula has an apostrophe before it."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\r\n")
        self._writer.writerow(columns)

    def add(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write these rows."""
        self._writer.writerows([_cell(value) for value in row] for row in rows)

    def close(self) -> None:
        """There are no more."""
        self._file.close()


class JsonFile:
    """An array of objects, one a line."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._file = path.open("w", encoding="utf-8")
        self._columns = columns
        self._between = "[\n"

    def add(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write these rows."""
        for row in rows:
            named = {name: _value(value) for name, value in zip(self._columns, row, strict=True)}
            self._file.write(self._between + json.dumps(named, ensure_ascii=False))
            self._between = ",\n"

    def close(self) -> None:
        """There are no more."""
        self._file.write("[]\n" if self._between == "[\n" else "\n]\n")
        self._file.close()


def _value(value: Any) -> Any:
    """In JSON's terms; money keeps its digits as a number."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def _cell(value: Any) -> Any:
    """In CSV's terms: nothing is an empty cell, lists and objects are JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, int | float | Decimal):
        return value
    text = value if isinstance(value, str) else value.isoformat() if isinstance(value, date) else _json(value)
    return f"'{text}" if FORMULA.match(text) else text


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if value else ""
