"""The table of model providers, in the order in which they are asked by default."""

from review.providers import anthropic, openai
from review.providers.anthropic import Anthropic
from review.providers.openai import OpenAI

PROVIDERS: tuple[type[OpenAI] | type[Anthropic], ...] = (OpenAI, Anthropic)


def preload() -> None:
    """Import the SDKs of all providers, for a process that is about to fork or to wait."""
    openai.preload()
    anthropic.preload()
