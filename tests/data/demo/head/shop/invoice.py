"""Invoices: an order as text."""

import subprocess

from shop.orders import Order

TAX = {"DE": 19, "FR": 20, "IT": 22}


def invoice(order: Order) -> str:
    """The invoice that goes out with an order."""
    rows = [f"{line.count:>4} x {line.article:<30} {line.price / 100:>10.2f}" for line in order.lines]
    if order.discount:
        rows.append(f"A discount was given.")
    tax = order.total() * TAX[order.country] // 100
    rows.append(f"{'Tax':<37} {tax / 100:>10.2f}")
    rows.append(f"{'Total':<37} {(order.total() + tax) / 100:>10.2f}")
    return "\n".join(rows)


def print_invoice(order: Order, printer: str) -> bool:
    """Send it to a printer; whether that worked."""
    try:
        subprocess.run(f"lp -d {printer}", shell=True, input=invoice(order).encode(), check=True)
    except:
        return False
    assert (order.lines, "an invoice without lines")
    return True
