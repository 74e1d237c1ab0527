"""The app itself, its installations, their tokens, and the deliveries of its webhooks."""

from tests.sandbox import access, shapes
from tests.sandbox.answering import JSON, Answer, Call, Refused, not_found
from tests.sandbox.world import HookDelivery, Installation, User


def app(call: Call) -> Answer:
    return Answer(200, shapes.app(call.world))


def installations(call: Call) -> Answer:
    held = [i for i in call.world.installations.values() if not i.removed]
    return call.page(held, lambda i: shapes.installation(call.world, i))


def installation(call: Call) -> Answer:
    return Answer(200, shapes.installation(call.world, access.installation(call)))


def repository_installation(call: Call) -> Answer:
    repository = call.world.repository(f"{call.path['owner']}/{call.path['repo']}")
    held = call.world.installation_of(repository) if repository else None
    if held is None:
        raise not_found()
    return Answer(200, shapes.installation(call.world, held))


def create_token(call: Call) -> Answer:
    """`repositories`, `repository_ids` and `permissions` narrow it; an empty object of permissions means all."""
    held = access.installation(call)
    if held.suspended:
        raise Refused(403, "This installation has been suspended")
    permissions = call.given("permissions", dict) or held.permissions
    for name, level in permissions.items():
        if held.permissions.get(name) not in (level, "write", "admin"):
            raise Refused(422, "The permissions requested are not granted to this installation.")
    given = access.issue_token(call.world, held, dict(permissions), _narrowed(call, held))
    return Answer(201, shapes.token(call.world, given))


def _narrowed(call: Call, held: Installation) -> set[int] | None:
    names, ids = call.given("repositories", list), call.given("repository_ids", list)
    if not names and not ids:
        return None
    seen = {repo.id: repo.name for repo in call.world.repositories.values() if held.covers(repo)}
    wanted = {id for id, name in seen.items() if name in (names or ()) or id in (ids or ())}
    if len(wanted) < len(set(names or ())) or not set(ids or ()) <= wanted:
        raise Refused(
            422, "There is at least one repository that does not exist or is not accessible to the parent installation."
        )
    return wanted


def revoke_token(call: Call) -> Answer:
    assert call.token is not None
    call.token.revoked = True
    return Answer(204)


def repositories(call: Call) -> Answer:
    assert call.token is not None
    seen = [repo for repo in call.world.repositories.values() if call.token.covers(repo)]
    answer = call.page(seen, lambda repo: shapes.repository(call.world, repo), wrap="repositories")
    answer.body["repository_selection"] = "all" if call.installation.repositories is None else "selected"
    return answer


def rate_limit(call: Call) -> Answer:
    core = call.core_limit
    other: JSON = {"limit": 30, "remaining": 30, "reset": core["reset"], "used": 0}
    return Answer(200, {"resources": {"core": core, "search": other}, "rate": core})


def user(call: Call) -> Answer:
    who = call.world.users.get(call.path["username"].lower())
    if who is None:
        raise not_found()
    return Answer(200, public(call, who))


def public(call: Call, who: User) -> JSON:
    """What everybody may know of an account."""
    nothing = dict.fromkeys(("name", "company", "blog", "location", "email", "hireable", "bio", "twitter_username"))
    counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    dates = {"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}
    return shapes.user(call.world, who) | nothing | counts | dates


def hook_deliveries(call: Call) -> Answer:
    """The newest first. Pages go by cursor, not by number."""
    rows = list(reversed(call.world.deliveries))
    failed = call.query.get("status")
    if failed in ("success", "failure"):
        rows = [row for row in rows if (row.status_code // 100 == 2) == (failed == "success")]
    start = next((i for i, row in enumerate(rows) if str(row.id) == call.query.get("cursor")), 0)
    size = min(int(call.query.get("per_page") or 30), 100)
    links = {}
    if len(rows) > start + size:
        links = {"link": f'<{call.url}?per_page={size}&cursor={rows[start + size].id}>; rel="next"'}
    return Answer(200, [_delivery(row) for row in rows[start : start + size]], links)


def hook_delivery(call: Call) -> Answer:
    row = _found(call)
    request = {"headers": {"X-GitHub-Delivery": row.guid, "X-GitHub-Event": row.event}, "payload": row.payload}
    more = {"url": row.url, "request": request, "response": {"headers": {}, "payload": row.answer}}
    return Answer(200, _delivery(row) | more)


def redeliver(call: Call) -> Answer:
    """The attempt is made beside this request, with the delivery's old id."""
    row = _found(call)
    if call.world.redeliver is not None:
        call.world.redeliver(row)
    return Answer(202, {})


def _found(call: Call) -> HookDelivery:
    row = next((row for row in call.world.deliveries if str(row.id) == call.path["delivery_id"]), None)
    if row is None:
        raise not_found()
    return row


def _delivery(row: HookDelivery) -> JSON:
    payload = row.payload
    return {
        "id": row.id,
        "guid": row.guid,
        "delivered_at": row.delivered_at,
        "redelivery": row.redelivery,
        "duration": round(row.duration, 2),
        "status": row.status,
        "status_code": row.status_code,
        "event": row.event,
        "action": payload.get("action"),
        "installation_id": (payload.get("installation") or {}).get("id"),
        "repository_id": (payload.get("repository") or {}).get("id"),
        "throttled_at": None,
    }
