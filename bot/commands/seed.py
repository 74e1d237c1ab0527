"""`refactoriq seed`: sample data for a try, with somebody to sign in as. Everything that can be is made by the real code."""

import asyncio
import secrets
from dataclasses import dataclass, replace

from bot.commands.processes import need, with_running_services
from bot.sample.files import sample_repositories
from bot.sample.story import begin
from bot.settings import Environment, Settings, parse_settings, read_settings
from bot.terminal import say
from bot.wiring import open_context
from handlers.api.passwords import Passwords
from handlers.context import Context
from review.analyzers import ANALYZERS
from review.errors import UserError
from review.reviewer import Reviewer
from storage.accounts.users import Taken, User, Users
from storage.audit import Act
from storage.database import Database
from storage.seed import DOMAIN, LOGIN, SampleMember, SampleRows

ACT = Act("user.create", actor="the command line")
DEMO = f"demo{DOMAIN}"
NO_MODELS = "No model looked at the sample data: it costs nothing to make."


@dataclass(frozen=True, slots=True)
class Other:
    """Somebody else in the sample organization; nobody can sign in as them. `repositories` is how many they may read."""

    name: str
    role: str | None
    by_github: str | None
    repositories: int


OTHERS = (
    Other("Ada Admin", "admin", "member", 3),
    Other("Mai Maintainer", "maintainer", "member", 2),
    Other("Mel Member", None, "member", 1),
    Other("Vic Viewer", None, "viewer", 1),
)


def seed(*, force: bool = False) -> None:
    """Make the sample data unless it is there; with `force` anew. Prints who to sign in as. Raises UserError, TryAgain."""
    if parse_settings().environment is Environment.PRODUCTION:
        raise UserError("This is production (ENVIRONMENT): sample data does not belong here. Use another database.")
    settings = with_running_services(read_settings())
    need(settings, "database_url", "redis_url")
    password = asyncio.run(_seed(settings, force))
    if password is None:
        print(f"The organization {LOGIN} is there already; nothing was changed. To make it anew, add --force.")
        return
    print(f"Made: the organization {LOGIN}, with a month of analyses.")
    print(f"Sign in as {DEMO} (an administrator). Password, shown this once: {password}")


async def _seed(settings: Settings, force: bool) -> str | None:
    """The password; None where there was nothing to do."""
    async with Database.open(settings.database_url.get_secret_value(), pool_size=1) as database:
        rows = SampleRows(database)
        there = await rows.organization()
        if there is not None and not force:
            return None
        if there is not None:
            await rows.remove(there)
    say("Making the sample data; the analyzers look at it ...")
    async with open_context(settings) as context:
        return await _make(replace(context, reviewer=_analyzers_alone()))


def _analyzers_alone() -> Reviewer:
    """No model is asked, whatever keys are set."""
    return Reviewer(analyzers=tuple(analyzer() for analyzer in ANALYZERS), why_no_models=NO_MODELS)


async def _make(context: Context) -> str:
    password = secrets.token_urlsafe(18)
    user = await _person(context.users, DEMO, "Demo", await Passwords().hash(password), administrator=True)
    repositories, rows = sample_repositories(), SampleRows(context.database)
    organization_id, ids = at = await rows.add([repository.full_name for repository in repositories])
    await rows.join(organization_id, SampleMember(user.id, None, "owner", ids))
    for other in OTHERS:
        email = f"{other.name.lower().replace(' ', '.')}{DOMAIN}"
        known = await _person(context.users, email, other.name, None)
        member = SampleMember(known.id, other.role, other.by_github, ids[: other.repositories])
        await rows.join(organization_id, member)
    await begin(context, rows, at, user, repositories).tell()
    return password


async def _person(users: Users, email: str, name: str, password_hash: str | None, *, administrator: bool = False) -> User:
    try:
        return await users.add(email, name, password_hash, ACT, administrator=administrator)
    except Taken:
        raise UserError(f"There is an account {email} that is none of the sample data: rename or remove it first.") from None
