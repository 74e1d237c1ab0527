"""The model providers, tried on the sandbox's model server."""
