"""GitHub as it really is: identity, client, host."""
