"""A repository, and what is in it: files, blobs, commits, comparisons, straight from git."""

import base64
import re
from urllib.parse import quote

from tests.builders import git
from tests.sandbox import shapes
from tests.sandbox.answering import Answer, Call, Refused, invalid, not_found
from tests.sandbox.changes import changes, merge_base
from tests.sandbox.world import Repository

WHOLE, RAW_ONLY = 1024 * 1024, 100 * 1024 * 1024
"""Contents up to 1 MB come whole, up to 100 MB only as the raw media type."""
MOST_ENTRIES, MOST_COMPARED = 1_000, 300


def repository(call: Call) -> Answer:
    return Answer(200, shapes.full_repository(call.world, call.repository))


def contents(call: Call) -> Answer:
    repo, path = call.repository, call.path["path"].strip("/")
    sha = repo.resolve(call.query.get("ref") or repo.default_branch)
    if sha is None:
        raise Refused(404, f"No commit found for the ref {call.query.get('ref')}")
    rows = git(repo.path, "ls-tree", "-z", "-l", sha, "--", path).decode(errors="surrogateescape").split("\0")
    if not rows[0]:
        raise not_found()
    mode, kind, blob, size = rows[0].partition("\t")[0].split()
    if kind == "tree":
        inside = git(repo.path, "ls-tree", "-z", "-l", f"{sha}:{path}").decode(errors="surrogateescape").split("\0")[:-1]
        return Answer(200, [_listed(call, repo, sha, path, row) for row in inside[:MOST_ENTRIES]])
    return _file(call, repo, sha, path, mode, blob, 0 if size == "-" else int(size))


def _listed(call: Call, repo: Repository, sha: str, folder: str, row: str) -> shapes.Shape:
    facts, _, name = row.partition("\t")
    mode, kind, blob, size = facts.split()
    word = {"tree": "dir"}.get(kind, "symlink" if mode == "120000" else "file")
    return {"type": word, **_entry(call, repo, sha, f"{folder}/{name}", blob, 0 if size == "-" else int(size))}


def _entry(call: Call, repo: Repository, sha: str, path: str, blob: str, size: int) -> shapes.Shape:
    api, web, name = (
        f"{call.world.api}/repos/{repo.full_name}",
        f"{call.world.url}/{repo.full_name}",
        quote(path, errors="replace"),
    )
    mine, source, html = f"{api}/contents/{name}?ref={sha}", f"{api}/git/blobs/{blob}", f"{web}/blob/{sha}/{name}"
    return {
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": blob,
        "size": size,
        "url": mine,
        "html_url": html,
        "git_url": source,
        "download_url": f"{web}/raw/{sha}/{name}",
        "_links": {"self": mine, "git": source, "html": html},
    }


def _file(call: Call, repo: Repository, sha: str, path: str, mode: str, blob: str, size: int) -> Answer:
    entry = _entry(call, repo, sha, path, blob, size)
    if mode == "160000":
        nothing = {"git_url": None, "html_url": None, "download_url": None}
        links = {"_links": entry["_links"] | {"git": None, "html": None}}
        return Answer(
            200, {"type": "submodule", "submodule_git_url": f"{call.world.url}/elsewhere.git", **entry, **nothing, **links}
        )
    if size > RAW_ONLY:
        raise invalid("Blob", "data", "too_large")
    data = git(repo.path, "cat-file", "blob", blob)
    if "raw" in call.accept:
        return Answer(200, data, media="application/vnd.github.raw+json; charset=utf-8")
    if mode == "120000":
        return Answer(200, {"type": "symlink", "target": data.decode(errors="replace"), **entry})
    if size > WHOLE:
        return Answer(200, {"type": "file", "encoding": "none", "content": "", **entry})
    return Answer(200, {"type": "file", "encoding": "base64", "content": base64.encodebytes(data).decode(), **entry})


def blob(call: Call) -> Answer:
    repo, sha = call.repository, call.path["file_sha"]
    if not re.fullmatch(r"[0-9a-f]{40}", sha):
        raise Refused(422, "The sha parameter must be exactly 40 characters and contain only [0-9a-f].")
    try:
        data = git(repo.path, "cat-file", "blob", sha)
    except AssertionError:
        raise not_found() from None
    if "raw" in call.accept:
        return Answer(200, data, media="application/vnd.github.raw+json; charset=utf-8")
    url = f"{call.world.api}/repos/{repo.full_name}/git/blobs/{sha}"
    content = base64.encodebytes(data).decode()
    return Answer(
        200, {"sha": sha, "node_id": f"B_{sha[:20]}", "size": len(data), "url": url, "content": content, "encoding": "base64"}
    )


def commit(call: Call) -> Answer:
    repo = call.repository
    sha = repo.resolve(call.path["ref"])
    if sha is None:
        raise Refused(422, f"No commit found for SHA: {call.path['ref']}")
    if "sha" in call.accept:
        return Answer(200, sha.encode(), media="application/vnd.github.sha; charset=utf-8")
    return Answer(200, shapes.commit(call.world, repo, sha))


def compare(call: Call) -> Answer:
    """`base...head`, from the merge base; at most 300 files, whatever the page."""
    repo = call.repository
    names = call.path["basehead"].split("...")
    base, head = (repo.resolve(name.rpartition(":")[2]) for name in names) if len(names) == 2 else (None, None)
    if base is None or head is None:
        raise not_found()
    changed = changes(repo.path, base, head)
    if repo.resolve(changed.merge_base) is None:
        raise Refused(404, f"No common ancestor between {names[0]} and {names[1]}.")
    if "diff" in call.accept:
        return Answer(200, changed.text, media="application/vnd.github.diff; charset=utf-8")
    start = merge_base(repo.path, base, head)
    ahead = git(repo.path, "rev-list", "--reverse", f"{base}..{head}").decode().split()
    behind = git(repo.path, "rev-list", f"{head}..{base}").decode().split()
    status = {(False, False): "identical", (True, False): "ahead", (False, True): "behind"}.get(
        (bool(ahead), bool(behind)), "diverged"
    )
    api, web = f"{call.world.api}/repos/{repo.full_name}/compare", f"{call.world.url}/{repo.full_name}/compare"
    answer = call.page(ahead, lambda sha: shapes.commit(call.world, repo, sha), default=250)
    spelled = f"{quote(names[0])}...{quote(names[1])}"
    files = [shapes.changed_file(call.world, repo, head, file) for file in changed.files[:MOST_COMPARED]]
    body = {
        "url": f"{api}/{spelled}",
        "html_url": f"{web}/{spelled}",
        "permalink_url": f"{web}/{base[:12]}...{head[:12]}",
        "diff_url": f"{web}/{spelled}.diff",
        "patch_url": f"{web}/{spelled}.patch",
        "base_commit": shapes.commit(call.world, repo, base),
        "merge_base_commit": shapes.commit(call.world, repo, start),
        "status": status,
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "commits": answer.body,
        "files": files,
    }
    return Answer(200, body, answer.headers)
