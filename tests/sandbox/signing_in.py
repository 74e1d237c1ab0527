"""What people do with their own accounts on the sandbox's GitHub: join organizations, get access, sign in, take it back."""

from collections.abc import Iterable

import httpx

from tests.sandbox.people import Person
from tests.sandbox.world import Repository, World


class SigningIn:
    """The acts of persons; `repository` is a Repository or its full name."""

    world: World

    @property
    def client_secret(self) -> str:
        return self.world.people.client_secret

    def person(self, login: str, name: str = "", emails: Iterable[tuple[str, bool, bool]] = ()) -> Person:
        """Somebody with an account; `emails` are (address, primary, verified)."""
        with self.world.lock:
            made = Person(self.world.user(login), name, list(emails))
            return self.world.people.persons.setdefault(login.lower(), made)

    def make_member(self, organization: str, login: str, role: str = "member", state: str = "active") -> None:
        with self.world.lock:
            self.world.user(organization, "Organization")
            self.person(login).roles[organization.lower()] = (role, state)

    def leave(self, organization: str, login: str) -> None:
        with self.world.lock:
            del self.person(login).roles[organization.lower()]

    def allow(self, login: str, repository: Repository | str, permission: str | None = "pull") -> None:
        """They get that permission there, or lose all with None."""
        with self.world.lock:
            found = repository if isinstance(repository, Repository) else self.world.repository(repository)
            assert found is not None
            if permission is None:
                self.person(login).permissions.pop(found.id, None)
            else:
                self.person(login).permissions[found.id] = permission

    def approve(self, authorize_url: str, login: str) -> str:
        """The browser opens GitHub's page as that person; gives the address that it is sent back to."""
        answer = httpx.get(httpx.URL(authorize_url).copy_merge_params({"login": login}), trust_env=False)
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]
