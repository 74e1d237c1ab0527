"""Builders for what is remembered: tenants, and one row of every tenant table, so that each test writes what matters to it."""

import shutil
from typing import Any

import psycopg

from review.pull_request import Repository
from storage.database import Database
from storage.deliveries import NewDelivery
from storage.installations import Installations, Tenant
from storage.reviews import Head

REPOSITORY = Repository(9001, "octo/hello", False)


async def a_tenant(database: Database, account_id: int = 100, repository: Repository = REPOSITORY) -> Tenant:
    """The tenant of that account, with the app installed on one repository. The installation's id is the account's + 1."""
    return await Installations(database).tenant_of(account_id, f"octo-{account_id}", "Organization", account_id + 1, repository)


def a_head(tenant: Tenant, head_sha: str = "a" * 40, *, number: int = 7, base_ref: str = "main") -> Head:
    """A head of a pull request of that tenant."""
    return Head(tenant.organization_id, tenant.repository_id, number, head_sha, base_ref)


def a_new_delivery(id: str, **changes: Any) -> NewDelivery:
    """A delivery that opened pull request 7 of repository 9001 and put a job; everything else only when it is said."""
    fields: dict[str, Any] = {
        "event": "pull_request",
        "action": "opened",
        "account_id": 100,
        "installation_id": 101,
        "repository_id": REPOSITORY.id,
        "pull_number": 7,
        "head_sha": "a" * 40,
        "state": "received",
        "job": b"{}",
    }
    return NewDelivery(id=id, **(fields | changes))


ONE_ROW = {
    "installations": "(id, organization_id) VALUES (%(org)s, %(org)s)",
    "repositories": "(organization_id, github_id, full_name, private, default_branch) VALUES (%(org)s, 1, 'a/b', true, 'main')",
    "analyses": "(organization_id, repository_id, head_sha, changed_lines, partial, record)"
    " VALUES (%(org)s, %(repositories)s, 'a', 1, false, '{}')",
    "findings": "(organization_id, analysis_id, fingerprint, path, side, first_line, last_line, severity, category, source,"
    " rule, message, quote, confidence) VALUES (%(org)s, %(analyses)s, '', '', '', 1, 1, '', '', '', '', '', '', 1)",
    "reviews": "(organization_id, repository_id, number, head_sha, base_ref, delivery_id, state, analysis_id)"
    " VALUES (%(org)s, %(repositories)s, 1, 'a', 'main', 'd', 'in_progress', %(analyses)s)",
    "members": "(organization_id, user_id, role) VALUES (%(org)s, %(user)s, 'owner')",
    "repository_readers": "(organization_id, repository_id, user_id, permission)"
    " VALUES (%(org)s, %(repositories)s, %(user)s, 'read')",
    "uploads": "(organization_id, object_key, files, size, expires_at) VALUES (%(org)s, '', 1, 1, now())",
    "upload_files": "(organization_id, upload_id, ordinal, filename, size, type) VALUES (%(org)s, %(uploads)s, 0, 'a', 1, '')",
    "reports": "(organization_id, analysis_id, format, state) VALUES (%(org)s, %(analyses)s, 'html', 'ready')",
    "proposals": "(organization_id, repository_id, analysis_id, state, wanted)"
    " VALUES (%(org)s, %(repositories)s, %(analyses)s, 'proposed', '{}')",
    "exports": "(organization_id, user_id, kind, format, state, expires_at)"
    " VALUES (%(org)s, %(user)s, 'usage', 'csv', 'queued', now())",
    "usage_days": "(organization_id, scope, day, provider, model, calls, input_tokens, cached_tokens, output_tokens, cost)"
    " VALUES (%(org)s, 0, '2026-01-01', '', '', 1, 1, 1, 1, 1)",
    "code_indexes": "(organization_id, repository_id, state) VALUES (%(org)s, %(repositories)s, 'ready')",
    "code_blobs": "(organization_id, repository_id, sha, language, length, chunks, note, words, counts, defined, used)"
    " VALUES (%(org)s, %(repositories)s, 'a', '', 1, 1, '', '{a}', '{1}', '{}', '{}')",
    "code_chunks": "(organization_id, repository_id, blob_id, ordinal, kind, symbol, signature, doc, first_line, last_line,"
    " text) VALUES (%(org)s, %(repositories)s, %(code_blobs)s, 0, 'lines', '', '', '', 1, 1, 'a')",
    "code_vectors": "(organization_id, repository_id, chunk_id, blob_id, ordinal, model, embedding)"
    " VALUES (%(org)s, %(repositories)s, %(code_chunks)s, %(code_blobs)s, 0, 'm', '[1,0]')",
    "code_files": "(organization_id, repository_id, number, path, folder, stem, blob_id, sha, language, length, chunks)"
    " VALUES (%(org)s, %(repositories)s, 1, 'a', '', 'a', %(code_blobs)s, 'a', '', 1, 1)",
    "code_postings": "(organization_id, repository_id, kind, term, segment, files, counts)"
    " VALUES (%(org)s, %(repositories)s, 'w', 'a', 0, int4send(1), int4send(1))",
    "code_changesets": "(organization_id, repository_id, number, sha, at, paths)"
    " VALUES (%(org)s, %(repositories)s, 1, 'a', 0, '{a}')",
    "code_changes": "(organization_id, repository_id, path, numbers) VALUES (%(org)s, %(repositories)s, 'a', '{1}')",
    "audit_logs": "(organization_id, actor, action, subject) VALUES (%(org)s, '', '', '')",
}
"""For every tenant table, in the order of its references, what one row of a tenant is. `org` and the ids are filled in."""


def one_home(connection: "psycopg.Connection[Any]") -> int:
    """A new user's own organization."""
    made = connection.execute("INSERT INTO organizations (login, kind) VALUES ('home', 'Personal') RETURNING id").fetchone()
    assert made is not None
    return int(made[0])


def one_row_of_everything(connection: "psycopg.Connection[Any]", github_id: int) -> dict[str, int]:
    """A new tenant with one row in each tenant table; gives the ids by table, and the tenant's as `org`."""
    made = connection.execute(
        "INSERT INTO organizations (github_id, login, kind) VALUES (%s, 'octo', 'Organization') RETURNING id", (github_id,)
    ).fetchone()
    assert made is not None
    user = connection.execute("INSERT INTO users (home_id) VALUES (%s) RETURNING id", (one_home(connection),)).fetchone()
    assert user is not None
    ids = {"org": made[0], "user": user[0]}
    for table, row in ONE_ROW.items():
        insert = f"INSERT INTO {table} AS made {row} RETURNING (to_jsonb(made)->>'id')::bigint"
        made = connection.execute(insert, ids).fetchone()
        assert made is not None
        ids[table] = made[0]
    return ids


def find_program(name: str) -> str | None:
    """A server's program, also where Debian keeps those that are not for everybody's PATH."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
