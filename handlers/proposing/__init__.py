"""A proposal on its way: prepared from chosen findings (`prepare.py`), and applied once it is approved (`apply.py`)."""
