"""What somebody's own token tells of them: who they are, where the app is installed, what they may read there."""

from tests.sandbox import access, payloads, shapes
from tests.sandbox.answering import Answer, Call, Refused, not_found
from tests.sandbox.people import PERMISSIONS, Person
from tests.sandbox.routes import apps
from tests.sandbox.world import Installation, Repository


def user(call: Call) -> Answer:
    who = _person(call)
    return Answer(200, apps.public(call, who.user) | {"name": who.name or None})


def emails(call: Call) -> Answer:
    """The app needs a permission of its own for it, which many do without."""
    who = _person(call)
    if not call.world.people.may_read_emails:
        raise Refused(403, "Resource not accessible by integration")
    return call.page(who.emails, lambda one: {"email": one[0], "primary": one[1], "verified": one[2], "visibility": None})


def installations(call: Call) -> Answer:
    """Those of the app in whose repositories they may read something."""
    held = [one for one in call.world.installations.values() if not one.removed and _readable(call, one)]
    return call.page(held, lambda one: shapes.installation(call.world, one), wrap="installations")


def repositories(call: Call) -> Answer:
    held = access.installation(call)
    readable = _readable(call, held)
    if not readable or held.suspended:
        raise not_found()
    answer = call.page(readable, lambda one: shapes.repository(call.world, one) | _permissions(call, one), wrap="repositories")
    answer.body["repository_selection"] = "all" if held.repositories is None else "selected"
    return answer


def membership(call: Call) -> Answer:
    who, organization = _person(call), call.world.users.get(call.path["org"].lower())
    held = [one for one in call.world.installations.values() if one.account is organization and not one.removed]
    if organization is None or organization.type != "Organization" or organization.login.lower() not in who.roles:
        raise not_found()
    if not any("members" in one.permissions for one in held):
        raise Refused(403, "Resource not accessible by integration", headers={"x-accepted-github-permissions": "members=read"})
    role, state = who.roles[organization.login.lower()]
    api = f"{call.world.api}/orgs/{organization.login}"
    return Answer(
        200,
        {
            "url": f"{api}/memberships/{who.user.login}",
            "state": state,
            "role": role,
            "organization_url": api,
            "organization": payloads.organization(call.world, organization) | {"description": ""},
            "user": shapes.user(call.world, who.user),
        },
    )


def _person(call: Call) -> Person:
    assert call.person is not None
    return call.person


def _readable(call: Call, held: Installation) -> list[Repository]:
    seen = (repo for repo in call.world.repositories.values() if held.covers(repo))
    return [repo for repo in seen if _person(call).permission(repo)]


def _permissions(call: Call, repo: Repository) -> shapes.Shape:
    level = PERMISSIONS.index(_person(call).permission(repo) or "pull")
    return {"permissions": {name: number <= level for number, name in enumerate(PERMISSIONS)}}
