"""The memory: the only room with SQL, Redis, or files that last."""
