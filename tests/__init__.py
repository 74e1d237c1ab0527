"""All tests; they mirror the four rooms."""
