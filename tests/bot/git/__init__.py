"""Tests of git: caches, fetching, reading, and the hostile repository."""
