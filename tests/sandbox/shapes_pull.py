"""Pull requests, reviews, comments and check runs in the JSON that GitHub answers with."""

from typing import Any

from tests.sandbox.shapes import Shape, app, node, repository, user
from tests.sandbox.world import CheckRun, Comment, IssueComment, PullRequest, Repository, Review, World, now

REACTIONS = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")


def _end(world: World, repo: Repository | None, ref: str, sha: str, owner: Repository) -> Shape:
    of = repo or owner
    return {
        "label": f"{of.owner.login}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": user(world, of.owner),
        "repo": repository(world, repo) if repo else None,
    }


def pull_urls(world: World, pull: PullRequest) -> Shape:
    api, web = f"{world.api}/repos/{pull.repository.full_name}", f"{world.url}/{pull.repository.full_name}/pull/{pull.number}"
    mine = f"{api}/pulls/{pull.number}"
    return {
        "url": mine,
        "html_url": web,
        "diff_url": f"{web}.diff",
        "patch_url": f"{web}.patch",
        "issue_url": f"{api}/issues/{pull.number}",
        "commits_url": f"{mine}/commits",
        "review_comments_url": f"{mine}/comments",
        "review_comment_url": f"{api}/pulls/comments{{/number}}",
        "comments_url": f"{api}/issues/{pull.number}/comments",
        "statuses_url": f"{api}/statuses/{pull.head_sha}",
    }


def _links(urls: Shape) -> Shape:
    names = {"self": "url", "html": "html_url", "issue": "issue_url", "comments": "comments_url"}
    names |= {"review_comments": "review_comments_url", "review_comment": "review_comment_url"}
    names |= {"commits": "commits_url", "statuses": "statuses_url"}
    return {name: {"href": urls[key]} for name, key in names.items()}


def pull_simple(world: World, pull: PullRequest) -> Shape:
    """A pull request in a list."""
    urls = pull_urls(world, pull)
    return {
        **urls,
        "id": pull.id,
        "node_id": node("PR", pull.id),
        "number": pull.number,
        "state": pull.state,
        "locked": False,
        "title": pull.title,
        "user": user(world, pull.user),
        "body": pull.body,
        "created_at": pull.created_at,
        "updated_at": pull.updated_at,
        "closed_at": pull.closed_at,
        "merged_at": pull.closed_at if pull.merged else None,
        "merge_commit_sha": pull.head_sha if pull.merged else None,
        "labels": [],
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        **dict.fromkeys(("milestone", "active_lock_reason", "assignee", "auto_merge")),
        "draft": pull.draft,
        "head": _end(world, pull.head_repository, pull.head_ref, pull.head_sha, pull.repository),
        "base": _end(world, pull.repository, pull.base_ref, pull.base_sha, pull.repository),
        "_links": _links(urls),
        "author_association": pull.association,
    }


def pull_request(world: World, pull: PullRequest) -> Shape:
    """A pull request by itself."""
    changes = pull.changes
    return pull_simple(world, pull) | {
        "merged": pull.merged,
        "mergeable": None if pull.merged else True,
        "rebaseable": None if pull.merged else True,
        "mergeable_state": "draft" if pull.draft else "clean",
        "merged_by": user(world, pull.repository.owner) if pull.merged else None,
        "comments": len(pull.talk),
        "review_comments": len(pull.comments),
        "maintainer_can_modify": False,
        "commits": len(pull.commits()),
        "additions": changes.additions,
        "deletions": changes.deletions,
        "changed_files": len(changes.files),
    }


def review(world: World, pull: PullRequest, given: Review) -> Shape:
    urls = pull_urls(world, pull)
    html = f"{urls['html_url']}#pullrequestreview-{given.id}"
    shape: Shape = {
        "id": given.id,
        "node_id": node("PRR", given.id),
        "user": user(world, given.user),
        "body": given.body,
        "state": given.state,
        "html_url": html,
        "pull_request_url": urls["url"],
        "author_association": "NONE",
        "_links": {"html": {"href": html}, "pull_request": {"href": urls["url"]}},
        "commit_id": given.commit_id,
    }
    if given.submitted_at is not None:
        shape["submitted_at"] = given.submitted_at
    return shape


def comment(world: World, pull: PullRequest, given: Comment) -> Shape:
    urls = pull_urls(world, pull)
    url = f"{world.api}/repos/{pull.repository.full_name}/pulls/comments/{given.id}"
    html = f"{urls['html_url']}#discussion_r{given.id}"
    shape: Shape = {
        "url": url,
        "pull_request_review_id": given.review,
        "id": given.id,
        "node_id": node("PRRC", given.id),
        "diff_hunk": given.diff_hunk,
        "path": given.path,
        "commit_id": given.commit_id,
        "original_commit_id": given.original_commit_id,
        "user": user(world, given.user),
        "body": given.body,
        "created_at": given.created_at,
        "updated_at": given.updated_at,
        "html_url": html,
        "pull_request_url": urls["url"],
        "author_association": "NONE",
        "_links": {"self": {"href": url}, "html": {"href": html}, "pull_request": {"href": urls["url"]}},
        "reactions": reactions(url),
        **_place(given),
    }
    if given.in_reply_to is not None:
        shape["in_reply_to_id"] = given.in_reply_to
    return shape


def _place(given: Comment) -> dict[str, Any]:
    names = (
        "start_line",
        "original_start_line",
        "start_side",
        "line",
        "original_line",
        "side",
        "position",
        "original_position",
    )
    return {name: getattr(given, name) for name in names} | {"subject_type": given.subject_type}


def reactions(url: str) -> Shape:
    return {"url": f"{url}/reactions", "total_count": 0, **dict.fromkeys(REACTIONS, 0)}


def issue_comment(world: World, pull: PullRequest, given: IssueComment) -> Shape:
    urls = pull_urls(world, pull)
    url = f"{world.api}/repos/{pull.repository.full_name}/issues/comments/{given.id}"
    return {
        "url": url,
        "html_url": f"{urls['html_url']}#issuecomment-{given.id}",
        "issue_url": urls["issue_url"],
        "id": given.id,
        "node_id": node("IC", given.id),
        "user": user(world, given.user),
        "created_at": given.created_at,
        "updated_at": given.updated_at,
        "body": given.body,
        "author_association": "NONE",
        "reactions": reactions(url),
        "performed_via_github_app": app(world) if given.user.type == "Bot" else None,
    }


def check_run(world: World, repo: Repository, run: CheckRun) -> Shape:
    url = f"{world.api}/repos/{repo.full_name}/check-runs/{run.id}"
    given, output = run.given, run.given.get("output") or {}
    done = given.get("status") == "completed"
    return {
        "id": run.id,
        "name": given["name"],
        "node_id": node("CR", run.id),
        "head_sha": run.head_sha,
        "external_id": given.get("external_id", ""),
        "url": url,
        "html_url": f"{world.url}/{repo.full_name}/runs/{run.id}",
        "details_url": given.get("details_url", world.url),
        "status": given.get("status", "queued"),
        "conclusion": given.get("conclusion"),
        "started_at": given.get("started_at") or now(),
        "completed_at": (given.get("completed_at") or now()) if done else None,
        "output": {
            **{name: output.get(name) for name in ("title", "summary", "text")},
            "annotations_count": run.annotations,
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": run.id + 1},
        "app": app(world),
        "pull_requests": [],
    }
