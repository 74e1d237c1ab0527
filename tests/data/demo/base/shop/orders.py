"""Orders: what was bought, by whom, and what it costs."""

import sqlite3
from dataclasses import dataclass, field


@dataclass
class Line:
    """One article of an order. Prices are in cents."""

    article: str
    price: int
    count: int = 1


@dataclass
class Order:
    """Everything that one customer bought at once."""

    number: int
    customer: str
    lines: list[Line] = field(default_factory=list)
    country: str = "DE"

    def total(self) -> int:
        """The price of all lines, in cents."""
        return sum(line.price * line.count for line in self.lines)


def load(connection: sqlite3.Connection, number: int) -> Order | None:
    """The order with that number, or None."""
    row = connection.execute("SELECT number, customer FROM orders WHERE number = ?", (number,)).fetchone()
    if row is None:
        return None
    lines = connection.execute("SELECT article, price, count FROM lines WHERE number = ?", (number,)).fetchall()
    return Order(row[0], row[1], [Line(*line) for line in lines])
