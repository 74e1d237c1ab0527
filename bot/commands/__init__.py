"""The commands of `refactoriq`, one file a command."""
