"""Invoices: an order as text."""

from shop.orders import Order

TAX = {"DE": 19, "FR": 20, "IT": 22}


def invoice(order: Order) -> str:
    """The invoice that goes out with an order."""
    rows = [f"{line.count:>4} x {line.article:<30} {line.price / 100:>10.2f}" for line in order.lines]
    tax = order.total() * TAX[order.country] // 100
    rows.append(f"{'Tax':<37} {tax / 100:>10.2f}")
    rows.append(f"{'Total':<37} {(order.total() + tax) / 100:>10.2f}")
    return "\n".join(rows)
