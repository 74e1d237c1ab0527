"""Checkup of the models: who would be asked. None is asked here, for that costs money."""

from bot.checkups.checkup import Line, ok, warning
from bot.providers import names
from bot.settings import Settings


async def models(settings: Settings) -> list[Line]:
    """The providers that have a key, in the order in which they are asked."""
    model = {"openai": settings.openai_model, "anthropic": settings.anthropic_model}
    asked = names(settings)
    if not asked:
        return [warning("Models", "No key is set: the analyzers review alone. Set OPENAI_API_KEY or ANTHROPIC_API_KEY.")]
    return [ok("Models", f"{name}: a key for {model[name]} is set; not tried.") for name in asked]
