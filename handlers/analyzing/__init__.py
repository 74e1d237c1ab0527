"""An analysis that somebody asked for: what it is of, how it runs, and what comes of it. Start reading at `run.py`."""
