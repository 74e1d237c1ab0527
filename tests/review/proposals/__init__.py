"""Tests of what a proposal is made by."""
