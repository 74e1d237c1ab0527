"""The analyzers: what finds mistakes without a model. A new one is a file here and a name in this table."""

from review.analyzers import bandit, ruff
from review.analyzers.analyzer import Analyzer
from review.analyzers.bandit import Bandit
from review.analyzers.ruff import Ruff
from review.analyzers.secrets import Secrets
from review.secrets.kinds import secret_kinds

ANALYZERS: tuple[type[Analyzer], ...] = (Ruff, Bandit, Secrets)


def preload() -> None:
    """Read the tables of all analyzers, for a process that is about to fork: the secrets' patterns alone take 0.2 s."""
    ruff.rule_table()
    bandit.rule_table()
    secret_kinds()
