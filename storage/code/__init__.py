"""The code index in Postgres: what each installed repository's default branch holds, and what retrieval asks of it."""
