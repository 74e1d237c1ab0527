"""The analyzers: what finds mistakes without a model. A new one is a file here and a name in this table."""

from review.analyzers.analyzer import Analyzer
from review.analyzers.bandit import Bandit
from review.analyzers.ruff import Ruff
from review.analyzers.secrets import Secrets

ANALYZERS: tuple[type[Analyzer], ...] = (Ruff, Bandit, Secrets)
