"""Each analyzer on its own, with the real tool."""
