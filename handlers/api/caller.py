"""Who asks: a signed-in person, a service with an API key, or nobody."""

from dataclasses import dataclass

from storage.accounts.sight import NOTHING, Sight
from storage.accounts.users import User
from storage.audit import Act


@dataclass(frozen=True, slots=True)
class Caller:
    """`user` is None for nobody in particular. `session` is the session's id where a person signed in; `scopes` are those of
    the API key where one was used, whose id is `key`, None where nothing limits the user. `address` is the caller's network
    address."""

    address: str
    request_id: str
    user: User | None = None
    sight: Sight = NOTHING
    session: str = ""
    scopes: frozenset[str] | None = None
    key: int | None = None

    @property
    def name(self) -> str:
        """For logs and the audit."""
        return "nobody" if self.user is None else self.user.name

    def act(self, action: str) -> Act:
        """What they do, as the audit tells of it."""
        return Act(action, self.name, None if self.user is None else self.user.id, self.address, self.request_id)
