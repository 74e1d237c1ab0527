"""Tests of receiving uploads: what is unpacked, what is refused."""
