"""The nightly report: what was sold on a day."""

import sqlite3
import sys


def sold(connection: sqlite3.Connection, day: str) -> list[tuple[str, int]]:
    """Articles and how many of each were sold that day."""
    query = "SELECT article, sum(count) FROM lines JOIN orders USING (number) WHERE day = ? GROUP BY article"
    return connection.execute(query, (day,)).fetchall()


if __name__ == "__main__":
    for article, count in sold(sqlite3.connect("shop.db"), sys.argv[1]):
        print(f"{count:>6} {article}")
