"""Walks: stories through the whole house, on the sandbox."""
