"""The user behind a request with all that they may see, in one round trip: every request needs it."""

from storage.accounts.role import Role, effective
from storage.accounts.sight import Membership, Sight
from storage.accounts.users import COLUMNS, User
from storage.database import Database

ASK_AFTER = 15 * 60
"""Seconds after which GitHub is asked again what a person may see."""

COUNTS_FOR = 24 * 3600
"""Seconds for which its last answer counts while it cannot be asked; afterwards nothing of GitHub is seen."""

KNOWN = f"""
SELECT {COLUMNS},
    (SELECT coalesce(json_agg(json_build_array(o.id, o.login, o.kind, m.role, CASE WHEN users.counts THEN m.github_role END)
                              ORDER BY o.kind <> 'Personal', lower(o.login), o.id), '[]')
     FROM members AS m JOIN organizations AS o ON o.id = m.organization_id
     WHERE m.user_id = users.id AND (m.role IS NOT NULL OR users.counts)),
    CASE WHEN users.counts THEN ARRAY(SELECT repository_id FROM repository_readers WHERE user_id = users.id) ELSE '{{}}' END,
    users.github_tokens IS NOT NULL AND coalesce(users.seen_on_github_at < now() - make_interval(secs => {ASK_AFTER}), true)
FROM (SELECT *, coalesce(seen_on_github_at > now() - make_interval(secs => {COUNTS_FOR}), false) AS counts FROM users) AS users
WHERE id = %s
"""  # noqa: S608


async def known(database: Database, user_id: int) -> tuple[User, Sight] | None:
    """That user and their sight, as far as GitHub was last asked; None where there is no such user. Raises Away.

    A collaborator of single repositories is a viewer by GitHub, and may be given another role here: that opens no repository.
    """
    rows = await database.at_once(KNOWN, (user_id,))
    if not rows:
        return None
    *columns, memberships, readable, is_old = rows[0]
    return User(*columns), Sight(tuple(_membership(*of) for of in memberships), tuple(readable), is_old)


def _membership(id: int, login: str, kind: str, role: str | None, github: str | None) -> Membership:
    return Membership(id, login, kind, effective(role, github), kind == "Personal" or github == Role.OWNER)
