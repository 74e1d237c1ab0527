"""The report formats, each on its own."""
