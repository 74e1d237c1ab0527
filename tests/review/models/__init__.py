"""Tests of review/models/."""
