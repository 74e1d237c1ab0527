"""The users of this installation, for its administrators: found, made, closed, opened, and made administrators."""

from datetime import datetime

from pydantic import EmailStr, Field

from handlers.api.cursor import below, cut, decode
from handlers.api.endpoint import Answer, Asked, Endpoint, Needs
from handlers.api.forms import Body, Data, Nothing, Page, PageQuery, Text
from handlers.api.password_policy import LONGEST, SHORTEST
from handlers.api.problem import Code, Problem, not_found
from handlers.api.signing_in import must_be_strong, must_send_mail
from storage.accounts.administration import LastAdministrator
from storage.accounts.users import Taken, User


class FindUsers(PageQuery):
    """`search` is the beginning of an address. With it the list is in the order of addresses, else the newest come first."""

    search: Text | None = Field(default=None, min_length=1, max_length=254)


class NewUser(Body):
    """Without a password a link to choose one is mailed to the address."""

    email: EmailStr = Field(max_length=254)
    full_name: Text = Field(default="", max_length=200)
    password: Text | None = Field(default=None, min_length=SHORTEST, max_length=LONGEST)
    administrator: bool = False


class ChangedUser(Body):
    """What is left out stays. `disabled` ends all sessions, API keys and mailed links at once."""

    full_name: Text | None = Field(default=None, max_length=200)
    administrator: bool | None = None
    disabled: bool | None = None


class ShownUser(Data):
    """A user as administrators see them. `disabled_at` is null while the account is open."""

    id: int
    email: str | None
    full_name: str
    github_login: str
    administrator: bool
    email_confirmed: bool
    disabled_at: datetime | None
    last_login_at: datetime | None
    created_at: datetime


async def list_users(asked: Asked[Nothing, FindUsers]) -> Answer:
    """All users, or those whose address begins as said."""
    query, users = asked.query, asked.services.accounts.users
    if query.search:
        after = decode(query.cursor, (str,))[0] if query.cursor else ""
        found = await users.beginning_with(query.search, after, query.limit + 1)
    else:
        found = await users.newest(below(query), query.limit + 1)
    items, more = cut(query, found, lambda user: [user.email or "" if query.search else user.id])
    return Answer(Page[ShownUser](items=[shown(user) for user in items], next_cursor=more))


async def get_user(asked: Asked[Nothing, Nothing]) -> Answer:
    """One user."""
    user = await asked.services.accounts.users.by_id(asked.path["id"])
    if user is None:
        raise not_found("user")
    return Answer(shown(user))


async def make_user(asked: Asked[NewUser, Nothing]) -> Answer:
    """An account for somebody else."""
    services, body, email = asked.services, asked.body, str(asked.body.email)
    hashed = None
    if body.password is None:
        must_send_mail(asked)
    else:
        must_be_strong(body.password, email, "password")
        hashed = await services.accounts.passwords.hash(body.password)
    try:
        user = await services.accounts.users.add(email, body.full_name, hashed, asked.act, administrator=body.administrator)
    except Taken as taken:
        raise Problem(Code.CONFLICT, str(taken)) from None
    if not services.accounts.mailing.off:
        await services.accounts.mailing.put("confirm_email" if hashed else "invitation", email, user.id)
    return Answer(shown(user), "Made." if hashed else "Made: a link to choose a password is on its way.")


async def change_user(asked: Asked[ChangedUser, Nothing]) -> Answer:
    """Close or open an account, make somebody an administrator or not."""
    body, user_id = asked.body, asked.path["id"]
    try:
        user = await asked.services.accounts.administration.change(
            user_id, asked.act, full_name=body.full_name, administrator=body.administrator, disabled=body.disabled
        )
    except LastAdministrator as last:
        raise Problem(Code.CONFLICT, str(last)) from None
    if user is None:
        raise not_found("user")
    if user.disabled_at is not None:
        await asked.services.accounts.sessions.end_all(user_id)
    return Answer(shown(user), "Saved.")


def shown(user: User) -> ShownUser:
    """A user as administrators see them."""
    return ShownUser(
        id=user.id,
        email=user.email,
        full_name=user.full_name,
        github_login=user.github_login,
        administrator=user.administrator,
        email_confirmed=user.confirmed_at is not None,
        disabled_at=user.disabled_at,
        last_login_at=user.last_login_at,
        created_at=user.created_at,
    )


ENDPOINTS = (
    Endpoint("GET", "/users", "user.list", "Find users", list_users, Needs.ADMINISTRATOR,
             query=FindUsers, data=Page[ShownUser]),
    Endpoint("POST", "/users", "user.create", "Make an account", make_user, Needs.ADMINISTRATOR,
             body=NewUser, data=ShownUser, status=201, codes=(Code.CONFLICT, Code.FEATURE_OFF)),
    Endpoint("GET", "/users/{id}", "user.read", "One user", get_user, Needs.ADMINISTRATOR, data=ShownUser),
    Endpoint("PUT", "/users/{id}", "user.change", "Close, open or promote an account", change_user, Needs.ADMINISTRATOR,
             body=ChangedUser, data=ShownUser, codes=(Code.CONFLICT,)),
)  # fmt: skip
