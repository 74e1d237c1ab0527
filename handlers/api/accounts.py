"""Accounts: what the endpoints about people use, from passwords to what GitHub says of somebody."""

from dataclasses import dataclass

from handlers.api.access_tokens import Tokens
from handlers.api.passwords import Passwords
from handlers.host import SignIn
from handlers.mailing import Mailing
from handlers.sight_on_github import SightOnGitHub
from storage.accounts.administration import Administration
from storage.accounts.api_keys import ApiKeys
from storage.accounts.github_accounts import GitHubAccounts
from storage.accounts.links import Links
from storage.accounts.members import Members
from storage.accounts.sessions import Sessions
from storage.accounts.sign_ins import SignIns
from storage.accounts.tickets import Tickets
from storage.accounts.tries import Tries
from storage.accounts.users import Users


@dataclass(frozen=True, slots=True)
class Accounts:
    """`sign_in` is None where nobody can sign in by GitHub; `registration`: whether anybody may make an account."""

    users: Users
    administration: Administration
    members: Members
    sessions: Sessions
    api_keys: ApiKeys
    tickets: Tickets
    tokens: Tokens
    passwords: Passwords
    tries: Tries
    links: Links
    mailing: Mailing
    sign_in: SignIn | None
    sign_ins: SignIns
    github_accounts: GitHubAccounts
    sight: SightOnGitHub
    registration: bool
