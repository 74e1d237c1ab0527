"""Rows by the million, made inside Postgres: what lists and details are measured and explained on."""

from dataclasses import dataclass
from typing import LiteralString

import psycopg

ORGANIZATIONS, REPOSITORIES = 20, 50
"""Organizations, and repositories in each. One organization holds half of all rows: its lists are the hard ones."""


@dataclass(frozen=True, slots=True)
class Many:
    """Ids of the organization that holds half of everything, and of one repository there."""

    organization_id: int
    repository_id: int


ACCOUNTS: LiteralString = """
INSERT INTO organizations (github_id, login, kind)
SELECT 500000 + n, 'many-' || n, 'Organization' FROM generate_series(1, %(organizations)s) AS n;
"""
REPOSITORY: LiteralString = """
INSERT INTO repositories (organization_id, github_id, full_name, private, default_branch)
SELECT o.id, o.github_id * 100 + n, o.login || '/repository-' || n, true, 'main'
FROM organizations AS o, generate_series(1, %(repositories)s) AS n WHERE o.login LIKE 'many-%%';
"""
# Every second row is of the first organization, the others go round.
CHOSEN: LiteralString = """
WITH r AS (SELECT array_agg(ARRAY[organization_id, id, github_id] ORDER BY organization_id, id) AS all_of_them
           FROM repositories WHERE full_name LIKE 'many-%%'),
     chosen AS (SELECT n, 1 + CASE WHEN n %% 2 = 0 THEN n / 2 %% %(repositories)s
                                   ELSE n %% (%(organizations)s * %(repositories)s) END AS which
                FROM generate_series(1, %(rows)s) AS n)
"""
ANALYSES: LiteralString = """
INSERT INTO analyses (organization_id, repository_id, number, head_sha, changed_lines, record, subject, analysis_type, title,
                      tags, status, score, severities, created_at, finished_at)
SELECT all_of_them[which][1], CASE WHEN n %% 10 = 0 THEN NULL ELSE all_of_them[which][2] END, n %% 1000, md5(n::text), n %% 500,
       '{"read": ["a.py"], "skipped": [], "notes": []}', CASE WHEN n %% 10 = 0 THEN 'upload' ELSE 'pull_request' END,
       (ARRAY['full', 'security', 'style'])[n %% 3 + 1], 'Analysis ' || n, ARRAY['tag-' || n %% 7],
       CASE WHEN n %% 1000 = 0 THEN 'failed' ELSE 'completed' END, n %% 1000 / 10.0, '{"high": 1}',
       now() - make_interval(secs => (%(rows)s - n) * 10), now() - make_interval(secs => (%(rows)s - n) * 10)
FROM chosen, r
"""
DELIVERIES: LiteralString = """
INSERT INTO deliveries (id, event, action, account_id, installation_id, repository_id, pull_number, head_sha, state, job)
SELECT 'many-' || n, 'pull_request', 'opened', (all_of_them[which][3] - 1) / 100, 1, all_of_them[which][3], n %% 1000,
       md5(n::text), CASE WHEN n %% 1000 = 0 THEN 'failed' ELSE 'done' END,
       '{"kind": "review_pull_request", "queue": "default", "arguments": {}}'
FROM chosen, r
"""
AUDIT: LiteralString = """
INSERT INTO audit_logs (organization_id, actor, action, subject)
SELECT all_of_them[which][1], 'mona', (ARRAY['analysis.create', 'proposal.apply'])[n %% 2 + 1], 'analysis:' || n FROM chosen, r
"""
UPLOADS: LiteralString = """
INSERT INTO uploads (organization_id, object_key, files, size, expires_at)
SELECT all_of_them[which][1], '', 1, 1, now() + interval '7 days' FROM chosen, r
"""
PROPOSALS: LiteralString = """
INSERT INTO proposals (organization_id, repository_id, analysis_id, state, wanted)
SELECT organization_id, repository_id, id, 'proposed', '{security-001}'
FROM analyses WHERE title LIKE 'Analysis %%' LIMIT %(rows)s
"""
# Five findings each for some analyses: details are read of those.
FINDINGS: LiteralString = """
INSERT INTO findings (organization_id, analysis_id, fingerprint, path, side, first_line, last_line, severity, category, source,
                      rule, message, quote, confidence, issue)
SELECT a.organization_id, a.id, md5(a.id::text || n), 'src/a.py', 'RIGHT', n, n, 'high', 'security', 'bandit', 'B602',
       'A message.', 'x', 1, 'security-00' || n
FROM (SELECT organization_id, id FROM analyses WHERE title LIKE 'Analysis %%' ORDER BY id DESC LIMIT 20000) AS a,
     generate_series(1, 5) AS n
"""


def fill(database_url: str, rows: int, others: int | None = None) -> Many:
    """Put so many analyses and deliveries there, and `others` (as many, unless said) of the other long tables."""
    values = {"organizations": ORGANIZATIONS, "repositories": REPOSITORIES, "rows": rows}
    fewer = values | {"rows": rows if others is None else others}
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(ACCOUNTS, values)
        connection.execute(REPOSITORY, values)
        for statement in (ANALYSES, DELIVERIES):
            connection.execute(CHOSEN + statement, values)
        for statement in (AUDIT, UPLOADS):
            connection.execute(CHOSEN + statement, fewer)
        connection.execute(PROPOSALS, fewer)
        connection.execute(FINDINGS)
        connection.execute("VACUUM (ANALYZE)")
        row = connection.execute(
            "SELECT organization_id, id FROM repositories WHERE full_name = 'many-1/repository-1'"
        ).fetchone()
    assert row is not None
    return Many(*row)
