"""The job that two events decide on: keep what a delivery says of an installation and its repositories."""

from dataclasses import asdict
from typing import Any

from handlers.delivery import Account, Delivery, Installation, Repository
from handlers.events.event import Ignored, PutJob
from storage.installations import Installed


def update_installation(
    delivery: Delivery, action: str, added: list[Repository], removed: list[Repository]
) -> PutJob | Ignored:
    """The job that keeps what this delivery says of its installation."""
    installation = delivery.payload.installation or Installation()
    account = installation.account or Account()
    if installation.id is None or account.id is None:
        return Ignored("Ignored: the delivery does not name its installation and account.")
    return PutJob(
        "update_installation",
        {
            "delivery_id": delivery.id,
            "action": action,
            "installation": {
                "id": installation.id,
                "account_id": account.id,
                "account": account.name,
                "account_type": account.type or installation.target_type or "Organization",
                "suspended": installation.suspended_at is not None,
            },
            "repositories_added": _named(added),
            "repositories_removed": _named(removed),
        },
        "high",
    )


def repository_gone(delivery: Delivery, installed: Installed) -> PutJob:
    """The job that keeps that this repository is no longer there."""
    repository = installed.repository
    named = {"id": repository.id, "full_name": repository.full_name, "private": repository.private}
    return PutJob(
        "update_installation",
        {
            "delivery_id": delivery.id,
            "action": "removed",
            "installation": asdict(installed.installation),
            "repositories_added": [],
            "repositories_removed": [named],
        },
        "high",
    )


def _named(repositories: list[Repository]) -> list[dict[str, Any]]:
    """Those that can be kept: a repository deleted in the meantime may come without its name."""
    return [
        {"id": repository.id, "full_name": repository.full_name, "private": repository.private is not False}
        for repository in repositories
        if repository.id is not None and repository.full_name is not None
    ]
