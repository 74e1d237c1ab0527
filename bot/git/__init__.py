"""Git, run as a subprocess on repositories that are taken to be hostile. Knows no GitHub."""
