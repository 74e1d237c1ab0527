"""Tests of bringing an index up to date: real git, a real Postgres, the embedder without a model."""
