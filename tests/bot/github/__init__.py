"""Tests of GitHub: identity, client, host, and the API behind git."""
