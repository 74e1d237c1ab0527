"""`python -m tests.sandbox`: the same as `python -m tests.sandbox.github`."""

from tests.sandbox.github import main

main()
