"""Tests of review/context/."""
