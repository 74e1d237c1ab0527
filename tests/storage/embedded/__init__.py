"""Tests of storage.embedded: servers of our own, started, stopped and killed."""
