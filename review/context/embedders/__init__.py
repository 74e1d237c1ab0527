"""Embedders: text into vectors. The table comes with its members."""
