"""Bringing a repository's index up to date, step by step: files, vectors, history, then all of it is seen at once."""
