"""Secrets in text: what they look like, what only looks like one, and how they are blanked."""
