"""Tests of the code index in Postgres."""
