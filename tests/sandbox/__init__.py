"""A GitHub and a model server on loopback, for the walks and the demo."""
