"""Accounts, repositories, apps and commits in the JSON that GitHub answers with."""

import base64
from typing import Any
from urllib.parse import quote

from tests.builders import git
from tests.sandbox.changes import ChangedFile
from tests.sandbox.world import EVENTS, PERMISSIONS, Installation, Repository, Token, User, World, now, stamp

Shape = dict[str, Any]

USER_URLS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
REPOSITORY_URLS = {
    "forks_url": "/forks", "keys_url": "/keys{/key_id}", "collaborators_url": "/collaborators{/collaborator}",
    "teams_url": "/teams", "hooks_url": "/hooks", "issue_events_url": "/issues/events{/number}",
    "events_url": "/events", "assignees_url": "/assignees{/user}", "branches_url": "/branches{/branch}",
    "tags_url": "/tags", "blobs_url": "/git/blobs{/sha}", "git_tags_url": "/git/tags{/sha}",
    "git_refs_url": "/git/refs{/sha}", "trees_url": "/git/trees{/sha}", "statuses_url": "/statuses/{sha}",
    "languages_url": "/languages", "stargazers_url": "/stargazers", "contributors_url": "/contributors",
    "subscribers_url": "/subscribers", "subscription_url": "/subscription", "commits_url": "/commits{/sha}",
    "git_commits_url": "/git/commits{/sha}", "comments_url": "/comments{/number}",
    "issue_comment_url": "/issues/comments{/number}", "contents_url": "/contents/{+path}",
    "compare_url": "/compare/{base}...{head}", "merges_url": "/merges", "archive_url": "/{archive_format}{/ref}",
    "downloads_url": "/downloads", "issues_url": "/issues{/number}", "pulls_url": "/pulls{/number}",
    "milestones_url": "/milestones{/number}", "notifications_url": "/notifications{?since,all,participating}",
    "labels_url": "/labels{/name}", "releases_url": "/releases{/id}", "deployments_url": "/deployments",
}  # fmt: skip
COUNTS = ("forks_count", "stargazers_count", "watchers_count", "open_issues_count", "forks", "open_issues", "watchers", "size")
SWITCHES = {
    "has_issues": True, "has_projects": True, "has_downloads": True, "has_wiki": True, "has_pages": False,
    "has_discussions": False, "archived": False, "disabled": False, "allow_forking": True, "is_template": False,
    "web_commit_signoff_required": False,
}  # fmt: skip
NOTHING = ("description", "homepage", "language", "mirror_url", "license")


def node(kind: str, number: int) -> str:
    return f"{kind}_{base64.urlsafe_b64encode(str(number).encode()).decode().rstrip('=')}"


def user(world: World, who: User) -> Shape:
    api = f"{world.api}/users/{quote(who.login)}"
    return {
        "login": who.login,
        "id": who.id,
        "node_id": node("U", who.id),
        "avatar_url": f"{world.url}/avatars/{who.id}",
        "gravatar_id": "",
        "url": api,
        "html_url": f"{world.url}/{quote(who.login)}",
        **{name: api + end for name, end in USER_URLS.items()},
        "type": who.type,
        "user_view_type": "public",
        "site_admin": False,
    }


def repository(world: World, repo: Repository) -> Shape:
    api, web = f"{world.api}/repos/{repo.full_name}", f"{world.url}/{repo.full_name}"
    host = world.url.partition("://")[2]
    return {
        "id": repo.id,
        "node_id": node("R", repo.id),
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "owner": user(world, repo.owner),
        "html_url": web,
        "fork": repo.fork,
        "url": api,
        **{name: api + end for name, end in REPOSITORY_URLS.items()},
        "git_url": f"git://{host}/{repo.full_name}.git",
        "ssh_url": f"git@{host}:{repo.full_name}.git",
        "clone_url": f"{web}.git",
        "svn_url": web,
        **dict.fromkeys(NOTHING),
        **dict.fromkeys(COUNTS, 0),
        **SWITCHES,
        "topics": [],
        "visibility": "private" if repo.private else "public",
        "default_branch": repo.default_branch,
        "created_at": repo.created_at,
        "updated_at": repo.created_at,
        "pushed_at": repo.created_at,
    }


def full_repository(world: World, repo: Repository) -> Shape:
    """`GET /repos/{owner}/{repo}`: what lists leave out."""
    return repository(world, repo) | {
        "permissions": {"admin": False, "maintain": False, "push": False, "triage": False, "pull": True},
        "subscribers_count": 0,
        "network_count": 0,
        "temp_clone_token": None,
        "custom_properties": {},
    }


def app(world: World) -> Shape:
    held = next(iter(world.installations.values()), None)
    owner = held.account if held else world.user("octo-inc", "Organization")
    return {
        "id": world.app_id,
        "client_id": world.client_id,
        "slug": world.slug,
        "node_id": node("A", world.app_id),
        "owner": user(world, owner),
        "name": world.slug,
        "description": "",
        "external_url": f"{world.url}/apps/{world.slug}",
        "html_url": f"{world.url}/apps/{world.slug}",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "permissions": dict(PERMISSIONS),
        "events": list(EVENTS),
        "installations_count": sum(not i.removed for i in world.installations.values()),
    }


def installation(world: World, held: Installation) -> Shape:
    api = f"{world.api}/app/installations/{held.id}"
    return {
        "id": held.id,
        "client_id": world.client_id,
        "account": user(world, held.account),
        "repository_selection": "all" if held.repositories is None else "selected",
        "access_tokens_url": f"{api}/access_tokens",
        "repositories_url": f"{world.api}/installation/repositories",
        "html_url": f"{world.url}/settings/installations/{held.id}",
        "app_id": world.app_id,
        "app_slug": world.slug,
        "target_id": held.account.id,
        "target_type": held.account.type,
        "permissions": dict(held.permissions),
        "events": list(EVENTS),
        "created_at": held.created_at,
        "updated_at": held.created_at,
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": user(world, held.account) if held.suspended else None,
        "suspended_at": now() if held.suspended else None,
    }


def token(world: World, given: Token) -> Shape:
    shape: Shape = {
        "token": given.text,
        "expires_at": stamp(given.expires),
        "permissions": dict(given.permissions),
        "repository_selection": "all" if given.installation.repositories is None and given.repositories is None else "selected",
    }
    if given.repositories is not None:
        seen = (repo for repo in world.repositories.values() if given.covers(repo))
        shape["repositories"] = [repository(world, repo) for repo in seen]
    return shape


def commit(world: World, repo: Repository, sha: str) -> Shape:
    api, web = f"{world.api}/repos/{repo.full_name}", f"{world.url}/{repo.full_name}"
    form = "%T%n%P%n%an%n%ae%n%aI%n%cn%n%ce%n%cI%n%B"
    rows = git(repo.path, "log", "-1", f"--format={form}", sha).decode(errors="replace").split("\n", 8)
    tree, parents, author, author_mail, authored, committer, committer_mail, committed, message = rows
    return {
        "sha": sha,
        "node_id": f"C_{sha[:20]}",
        "url": f"{api}/commits/{sha}",
        "html_url": f"{web}/commit/{sha}",
        "comments_url": f"{api}/commits/{sha}/comments",
        "commit": {
            "url": f"{api}/git/commits/{sha}",
            "author": {"name": author, "email": author_mail, "date": authored},
            "committer": {"name": committer, "email": committer_mail, "date": committed},
            "message": message.rstrip("\n"),
            "comment_count": 0,
            "tree": {"sha": tree, "url": f"{api}/git/trees/{tree}"},
            "verification": {"verified": False, "reason": "unsigned", "payload": None, "signature": None, "verified_at": None},
        },
        "author": user(world, repo.owner),
        "committer": user(world, repo.owner),
        "parents": [{"sha": p, "url": f"{api}/commits/{p}", "html_url": f"{web}/commit/{p}"} for p in parents.split()],
    }


def changed_file(world: World, repo: Repository, sha: str, file: ChangedFile) -> Shape:
    api, web, path = f"{world.api}/repos/{repo.full_name}", f"{world.url}/{repo.full_name}", quote(_text(file.path))
    shape: Shape = {
        "sha": file.blob,
        "filename": _text(file.path),
        "status": file.status,
        "additions": file.additions,
        "deletions": file.deletions,
        "changes": file.additions + file.deletions,
        "blob_url": f"{web}/blob/{sha}/{path}",
        "raw_url": f"{web}/raw/{sha}/{path}",
        "contents_url": f"{api}/contents/{path}?ref={sha}",
    }
    if file.previous_path is not None:
        shape["previous_filename"] = _text(file.previous_path)
    if file.patch is not None:
        shape["patch"] = file.patch.decode(errors="replace")
    return shape


def _text(path: str) -> str:
    """A path as JSON can carry it: bytes that are not UTF-8 become U+FFFD."""
    return path.encode(errors="surrogateescape").decode(errors="replace")
