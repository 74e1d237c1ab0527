"""Organizations: those that the caller belongs to, and their members with the roles that were set here or on GitHub."""

from datetime import datetime
from typing import Any

from pydantic import Field, model_validator

from handlers.api.cursor import behind, cut
from handlers.api.endpoint import Answer, Asked, Endpoint, Needs
from handlers.api.forms import Body, Data, Id, Nothing, Page, PageQuery, Text
from handlers.api.problem import Code, Problem, not_found
from storage.accounts.members import Member, Unchangeable
from storage.accounts.role import Role
from storage.accounts.sight import Membership


class OrganizationData(Data):
    """`kind` is `Organization` or `User`, GitHub's accounts, or `Personal`, somebody's own place here. `role` is the caller's;
    with `reads_everything` they may read all of its repositories."""

    id: int
    login: str
    kind: str
    role: Role
    reads_everything: bool


class MemberData(Data):
    """`role` counts: the one that was set here, else GitHub's; whoever owns the organization on GitHub owns it here. `email`
    is null of people who are known by their GitHub account."""

    user_id: int
    full_name: str
    github_login: str
    email: str | None
    role: Role
    role_set_here: Role | None
    role_on_github: Role | None
    updated_at: datetime


class NewMember(Body):
    """Exactly one of `user_id`, `email` and `github_login` says who: somebody who has an account here already. A `user_id` is
    that of somebody in another organization of which the caller is an admin."""

    user_id: Id | None = None
    email: Text | None = Field(default=None, max_length=254)
    github_login: Text | None = Field(default=None, max_length=100)
    role: Role

    @model_validator(mode="after")
    def _one_way(self) -> "NewMember":
        if sum(given is not None for given in (self.user_id, self.email, self.github_login)) != 1:
            raise ValueError("give exactly one of user_id, email, github_login")
        return self


class SetRole(Body):
    """null leaves the role to GitHub."""

    role: Role | None


async def list_organizations(asked: Asked[Nothing, PageQuery]) -> Answer:
    """A page of them, in the order of their ids."""
    after = behind(asked.query)
    rest = sorted((one for one in asked.caller.sight.memberships if one.organization_id > after), key=_id)
    items, more = cut(asked.query, rest, lambda one: [_id(one)])
    return Answer(Page[OrganizationData](items=[_organization(one) for one in items], next_cursor=more))


async def get_organization(asked: Asked[Nothing, Nothing]) -> Answer:
    """One of them."""
    return Answer(_organization(_membership(asked)))


async def list_members(asked: Asked[Nothing, PageQuery]) -> Answer:
    """A page of them, in the order of their users' ids."""
    organization_id = _membership(asked).organization_id
    asked.must_hold(organization_id)
    query, members = asked.query, asked.services.accounts.members
    found = await members.page(asked.caller.sight, organization_id, query.limit + 1, behind(query))
    items, more = cut(query, found, lambda member: [member.user_id])
    return Answer(Page[MemberData](items=[_member(one) for one in items], next_cursor=more))


async def add_member(asked: Asked[NewMember, Nothing]) -> Answer:
    """Somebody who has an account becomes a member. What they may read on GitHub stays as it is."""
    membership, members, body = _held(asked), asked.services.accounts.members, asked.body
    if membership.kind == "Personal":
        raise Problem(Code.CONFLICT, "This is one person's own place: nobody else can be a member of it.")
    if body.user_id is not None:
        user_id = await members.user_by_id(body.user_id, asked.caller.sight)
    elif body.email is not None:
        user_id = await members.user_by_email(body.email)
    else:
        user_id = await members.user_by_login(body.github_login or "")
    if user_id is None:
        raise Problem(Code.NOT_FOUND, "Nobody here is known so: they must sign in first, and confirm their e-mail address.")
    try:
        await members.add(membership.organization_id, user_id, body.role, asked.act)
    except Unchangeable as because:
        raise Problem(Code.CONFLICT, str(because)) from None
    return await _changed(asked, membership.organization_id, user_id)


async def set_role(asked: Asked[SetRole, Nothing]) -> Answer:
    """Another role, or GitHub's."""
    organization_id, user_id = _held(asked).organization_id, asked.path["user_id"]
    try:
        known = await asked.services.accounts.members.set_role(organization_id, user_id, asked.body.role, asked.act)
    except Unchangeable as because:
        raise Problem(Code.CONFLICT, str(because)) from None
    if not known:
        raise not_found("member")
    return await _changed(asked, organization_id, user_id)


async def remove_member(asked: Asked[Nothing, Nothing]) -> Answer:
    """They see nothing of the organization from now on."""
    organization_id, user_id = _held(asked).organization_id, asked.path["user_id"]
    try:
        known = await asked.services.accounts.members.remove(organization_id, user_id, asked.act)
    except Unchangeable as because:
        raise Problem(Code.CONFLICT, str(because)) from None
    if not known:
        raise not_found("member")
    return Answer(Nothing(), "They are a member no more.")


def _id(membership: Membership) -> int:
    return membership.organization_id


def _membership(asked: Asked[Any, Any]) -> Membership:
    """The caller's own in the path's organization. Raises Problem."""
    found = [one for one in asked.caller.sight.memberships if one.organization_id == asked.path["id"]]
    if not found:
        raise not_found("organization")
    return found[0]


def _held(asked: Asked[Any, Any]) -> Membership:
    """The same, where the caller holds the endpoint's role there. Only owners give roles, so none gives one above their own."""
    membership = _membership(asked)
    asked.must_hold(membership.organization_id)
    return membership


async def _changed(asked: Asked[Any, Any], organization_id: int, user_id: int) -> Answer:
    member = await asked.services.accounts.members.get(organization_id, user_id)
    if member is None:  # removed by somebody else in the meantime
        raise not_found("member")
    return Answer(_member(member))


def _organization(one: Membership) -> OrganizationData:
    return OrganizationData(id=one.organization_id, login=one.login, kind=one.kind, role=one.role, reads_everything=one.whole)


def _member(member: Member) -> MemberData:
    return MemberData(
        user_id=member.user_id,
        full_name=member.full_name,
        github_login=member.github_login,
        email=member.email,
        role=member.role,
        role_set_here=Role(member.set_here) if member.set_here else None,
        role_on_github=Role(member.by_github) if member.by_github else None,
        updated_at=member.updated_at,
    )


ENDPOINTS = (
    Endpoint(
        "GET", "/organizations", "organization.list", "One's organizations", list_organizations, Needs.ACCOUNT,
        query=PageQuery, data=Page[OrganizationData],
    ),
    Endpoint(
        "GET", "/organizations/{id}", "organization.read", "One organization", get_organization, Needs.VIEWER,
        data=OrganizationData,
    ),
    Endpoint(
        "GET", "/organizations/{id}/members", "member.list", "Its members", list_members, Needs.ADMIN,
        query=PageQuery, data=Page[MemberData],
    ),
    Endpoint(
        "POST", "/organizations/{id}/members", "member.add", "Add a member", add_member, Needs.OWNER,
        body=NewMember, data=MemberData, status=201, codes=(Code.CONFLICT,),
    ),
    Endpoint(
        "PUT", "/organizations/{id}/members/{user_id}", "member.set_role", "Set a member's role", set_role, Needs.OWNER,
        body=SetRole, data=MemberData, codes=(Code.CONFLICT,),
    ),
    Endpoint(
        "DELETE", "/organizations/{id}/members/{user_id}", "member.remove", "Remove a member", remove_member, Needs.OWNER,
        data=Nothing, codes=(Code.CONFLICT,),
    ),
)  # fmt: skip
