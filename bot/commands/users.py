"""`refactoriq users create-admin EMAIL`: the first administrator of an installation, or another one."""

import asyncio
import secrets
import sys
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from bot.commands.processes import need, with_running_services
from bot.settings import Settings, read_settings
from handlers.api.password_policy import SHORTEST, why_weak
from handlers.api.passwords import Passwords
from review.errors import UserError
from storage.accounts.administration import Administration
from storage.accounts.users import Users
from storage.audit import Act
from storage.database import Database

ACT = Act("user.create_admin", actor="the command line")


@dataclass(frozen=True, slots=True)
class Password:
    """What was typed or piped in, or `made` here, where nothing was: then somebody must be shown it."""

    text: str
    made: bool


def create_admin(email: str, full_name: str = "") -> None:
    """Make that user an administrator; with a password from the terminal or stdin, or one that is printed, where they are new.

    Raises UserError where the address or the password will not do, Away.
    """
    settings = with_running_services(read_settings())
    need(settings, "database_url")
    try:
        address = validate_email(email, check_deliverability=False).normalized
    except EmailNotValidError as wrong:
        raise UserError(f"{email} is no e-mail address: {wrong}") from None
    asyncio.run(_create(settings, address, full_name))


async def _create(settings: Settings, email: str, full_name: str) -> None:
    async with Database.open(settings.database_url.get_secret_value(), pool_size=1) as database:
        users = Users(database)
        known = await users.by_email(email)
        if known is not None:
            await Administration(database).change(known.id, ACT, administrator=True, disabled=False)
            print(f"{known.email} is an administrator now. The password is what it was.")
            return
        password = read_password(email)
        hashed = await Passwords().hash(password.text)
        await users.add(email, full_name, hashed, ACT, administrator=True)
    print(f"Made: {email}, an administrator.")
    if password.made:
        print(f"Password, shown this once: {password.text}")


def read_password(email: str) -> Password:
    """From the terminal, twice; or one line from stdin; or made up, where nothing is given. Raises UserError."""
    given = _typed() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not given:
        return Password(secrets.token_urlsafe(18), made=True)
    if len(given) < SHORTEST:
        raise UserError(f"The password must have at least {SHORTEST} characters.")
    if because := why_weak(given, email):
        raise UserError(because)
    return Password(given, made=False)


def _typed() -> str:
    import getpass

    given = getpass.getpass("Password (empty: one is made and shown): ")
    if given and getpass.getpass("Once more: ") != given:
        raise UserError("The two were not the same: try again.")
    return given
