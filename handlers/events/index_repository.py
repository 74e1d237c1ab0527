"""The job that indexes a repository: what it must be told. A push decides on it, and we put it ourselves."""

from dataclasses import asdict
from typing import Any

from storage.installations import Installed

KIND = "index_repository"


def index_arguments(delivery_id: str, installed: Installed) -> dict[str, Any]:
    """The arguments of the job, as plain JSON."""
    return {
        "delivery_id": delivery_id,
        "installation": asdict(installed.installation),
        "repository": asdict(installed.repository),
    }
