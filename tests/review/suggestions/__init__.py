"""Tests of review/suggestions/."""
