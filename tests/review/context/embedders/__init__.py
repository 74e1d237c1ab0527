"""Tests of review/context/embedders/."""
