"""Where a delivery about a repository comes from: the installation of the app that GitHub sent it to, and the repository."""

from handlers.delivery import Account, Delivery, Repository
from handlers.events.event import Ignored
from review import pull_request as nouns
from review.pull_request import Installation
from storage.installations import Installed


def installed_repository(delivery: Delivery) -> Installed | Ignored:
    """The repository and its installation, or why the delivery is of no use."""
    payload = delivery.payload
    repository = payload.repository or Repository()
    owner = repository.owner or Account()
    installation_id = payload.installation.id if payload.installation else None
    if installation_id is None:
        return Ignored("Ignored: the delivery names no installation. It must come from the app's own webhook.")
    if repository.id is None or repository.full_name is None or owner.id is None:
        return Ignored("Ignored: the delivery does not name its repository.")
    return Installed(
        Installation(installation_id, owner.id, owner.name, owner.type or "Organization"),
        nouns.Repository(
            repository.id, repository.full_name, repository.private is not False, repository.default_branch or "main"
        ),
    )
