"""Tests of how proposals are prepared and applied."""
