"""`python -m bot` is `refactoriq`."""

from bot.cli import main

main()
