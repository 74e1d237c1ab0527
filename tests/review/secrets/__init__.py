"""Tests of review/secrets/."""
