"""Tests of accounts in Postgres and Redis."""
