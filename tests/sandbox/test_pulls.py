"""Pull requests, diffs, files and contents on the sandbox, with GitHub's limits, pages and ETags."""

import base64
import subprocess

import httpx
import pytest

from tests.builders import Executable, Submodule, Symlink, git
from tests.sandbox.conftest import HEAD, Octo

pytestmark = pytest.mark.integration


def test_a_pull_request_counts_its_changes(octo: Octo) -> None:
    pull = octo.get("/pulls/1").json()
    counts = (pull["changed_files"], pull["additions"], pull["deletions"], pull["commits"])
    assert counts == (3, 4, 4, 1)
    assert (pull["head"]["sha"], pull["author_association"], pull["draft"]) == (octo.pull.head_sha, "MEMBER", False)


def test_the_diff_is_gits_own_from_the_merge_base(octo: Octo) -> None:
    octo.github.push_base("octo/app", {"elsewhere.py": "x = 1\n"})
    diff = octo.get("/pulls/1", headers={"accept": "application/vnd.github.v3.diff"})
    assert diff.content == git(octo.repository.path, "diff", "-M", f"main...{octo.pull.head_sha}")
    assert b"elsewhere.py" not in diff.content


@pytest.mark.parametrize(
    ("head", "word"), [({f"f{n}": "x" for n in range(301)}, "files (300)"), ({"long": "x\n" * 20_001}, "lines (20000)")]
)
def test_a_huge_diff_is_not_acceptable(octo: Octo, head: dict[str, str], word: str) -> None:
    octo.github.open_pull_request("octo/app", head)
    answer = octo.get("/pulls/2", headers={"accept": "application/vnd.github.diff"})
    assert answer.status_code == 406
    assert (answer.json()["errors"][0]["code"], word in answer.json()["message"]) == ("too_large", True)


def test_files_come_in_pages_with_links(octo: Octo) -> None:
    octo.github.open_pull_request("octo/app", {f"f{n:03}": "x" for n in range(120)})
    first = octo.get("/pulls/2/files")
    assert (len(first.json()), first.links["last"]["url"][-6:]) == (30, "page=4")
    second = octo.get("/pulls/2/files", params={"per_page": 500, "page": 2})
    assert [file["filename"] for file in second.json()] == [f"f{n:03}" for n in range(100, 120)]
    assert "next" not in second.links
    assert octo.api.get(first.links["next"]["url"]).status_code == 200


def test_files_say_what_happened_to_each_and_leave_out_patches_that_there_are_not(octo: Octo) -> None:
    octo.github.push_base(
        "octo/app", {"old name.py": "a = 1\nb = 2\nc = 3\nd = 4\n", "run": "x\n", "bin": b"\0", "kind": "x\n"}
    )
    octo.github.open_pull_request(
        "octo/app",
        {
            "old name.py": None,
            "neu/ä\t.py": "a = 1\nb = 2\nc = 3\nd = 5\n",
            "run": Executable("x\n"),
            "bin": b"\0\1",
            "sub": Submodule(),
            "link": Symlink("run"),
            "kind": Symlink("run"),
            "empty": "",
            "big": "x\n" * 20_001,
            "last": "no end",
        },
    )
    files = {file["filename"]: file for file in octo.get("/pulls/2/files").json()}
    status = {name: file["status"] for name, file in files.items()}
    patched = {name for name, file in files.items() if "patch" in file}
    assert status == {
        "neu/ä\t.py": "renamed", "run": "modified", "bin": "modified", "sub": "added", "link": "added", "kind": "changed",
        "empty": "added", "big": "added", "last": "added",
    }  # fmt: skip
    assert patched == {"neu/ä\t.py", "sub", "link", "kind", "last"}
    assert files["neu/ä\t.py"]["previous_filename"] == "old name.py"
    assert files["last"]["patch"] == "@@ -0,0 +1 @@\n+no end\n\\ No newline at end of file"


def test_an_etag_saves_the_answer_and_the_limit_for_the_same_token_only(octo: Octo) -> None:
    first = octo.get("/pulls/1")
    used = first.headers["x-ratelimit-used"]
    second = octo.get("/pulls/1", headers={"if-none-match": first.headers["etag"]})
    assert (second.status_code, second.content, second.headers["x-ratelimit-used"]) == (304, b"", used)
    octo.api.headers["authorization"] = f"token {octo.github.token(octo.installation)}"
    assert octo.get("/pulls/1", headers={"if-none-match": first.headers["etag"]}).status_code == 200


def test_contents_blobs_and_comparisons_come_from_git(octo: Octo) -> None:
    head = octo.pull.head_sha
    file = octo.get("/contents/new.py", params={"ref": head}).json()
    assert base64.b64decode(file["content"]) == b"one = 1\ntwo = 2\n"
    raw = octo.get("/contents/app.py", params={"ref": head}, headers={"accept": "application/vnd.github.raw+json"})
    assert raw.text == HEAD["app.py"]
    assert octo.get("/contents/new.py").status_code == 404
    assert octo.get(f"/git/blobs/{file['sha']}").json()["size"] == 16
    compared = octo.get(f"/compare/main...{head}").json()
    assert (compared["status"], compared["ahead_by"], len(compared["files"])) == ("ahead", 1, 3)
    assert octo.get("/commits/main").json()["commit"]["message"] == "The beginning"


def test_a_folder_a_link_and_a_submodule_are_told_apart(octo: Octo) -> None:
    octo.github.push_base("octo/app", {"d/a.py": "x", "d/l": Symlink("a.py"), "d/s": Submodule()})
    folder = octo.get("/contents/d").json()
    assert [(row["name"], row["type"]) for row in folder] == [("a.py", "file"), ("l", "symlink"), ("s", "file")]
    assert octo.get("/contents/d/l").json()["target"] == "a.py"
    assert octo.get("/contents/d/s").json()["type"] == "submodule"


def test_a_forks_head_is_fetched_from_the_base_repository(octo: Octo, tmp_path_factory: pytest.TempPathFactory) -> None:
    octo.github.push_base("octo/app", {"later.py": "x = 1\n"})
    fork = octo.github.fork(octo.repository, "visitor")
    pull = octo.github.open_pull_request("octo/app", {"new.py": "x = 2\n"}, fork=fork, author="visitor", association="NONE")
    octo.github.push(pull, {"new.py": "x = 3\n"})
    told = octo.get("/pulls/2").json()
    assert (told["head"]["repo"]["full_name"], told["head"]["repo"]["fork"]) == ("visitor/app", True)
    clone, token = tmp_path_factory.mktemp("clone"), octo.github.token(octo.installation)
    header = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    git(clone, "init", "-q")
    url = f"{octo.github.url}/octo/app.git"
    git(clone, "-c", f"http.extraheader=Authorization: Basic {header}", "fetch", "-q", url, "refs/pull/2/head")
    assert git(clone, "rev-parse", "FETCH_HEAD").decode().strip() == pull.head_sha


def test_git_is_refused_without_a_token_and_told_of_nothing_with_one_for_elsewhere(octo: Octo) -> None:
    path = f"{octo.github.url}/octo/app.git/info/refs?service=git-upload-pack"
    assert httpx.get(path, trust_env=False).status_code == 401
    octo.github.create_repository("else/app", {"a": "b"})
    token = octo.github.token(octo.github.install("else"))
    assert httpx.get(path, auth=("x-access-token", token), trust_env=False).status_code == 404
    mine = octo.github.token(octo.installation)
    assert httpx.get(path, auth=("x-access-token", mine), trust_env=False).status_code == 200
    assert [exchange.status for exchange in octo.github.requests] == [401, 404, 200]
    assert octo.github.rest_requests == []


def test_a_forgotten_head_can_no_longer_be_fetched(octo: Octo) -> None:
    before = octo.pull.head_sha
    octo.github.push(octo.pull, {"new.py": "x = 3\n"}, force=True, forget=True)
    assert octo.repository.resolve(before) is None
    assert octo.repository.resolve(octo.pull.head_sha) == octo.pull.head_sha


def test_a_local_repository_is_borrowed_not_copied(octo: Octo) -> None:
    source = octo.repository.path
    made = octo.github.import_repository("octo/copy", source, "main")
    pull = octo.github.open_pull_request(made, head_rev=octo.pull.head_sha)
    assert octo.api.get(f"/repos/octo/copy/pulls/{pull.number}").json()["changed_files"] == 3
    assert subprocess.run(["git", "-C", str(made.path), "fsck"], capture_output=True, check=False).returncode == 0


def test_closed_pull_requests_leave_the_list(octo: Octo) -> None:
    assert len(octo.get("/pulls").json()) == 1
    octo.github.close(octo.pull)
    assert octo.get("/pulls").json() == []
    assert octo.get("/pulls", params={"state": "all"}).json()[0]["state"] == "closed"


def test_check_runs_take_fifty_annotations_at_a_time(octo: Octo) -> None:
    note = {"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "x"}
    output = {"title": "t", "summary": "s", "annotations": [note] * 50}
    made = octo.api.post("/repos/octo/app/check-runs", json={"name": "x", "head_sha": octo.pull.head_sha, "output": output})
    assert (made.status_code, made.json()["status"]) == (201, "queued")
    path = f"/repos/octo/app/check-runs/{made.json()['id']}"
    done = octo.api.patch(path, json={"status": "completed", "conclusion": "neutral", "output": output}).json()
    assert (done["conclusion"], done["output"]["annotations_count"]) == ("neutral", 100)
    octo.github.accept_violations = True
    output["annotations"] = [note] * 51
    assert octo.api.patch(path, json={"output": output}).status_code == 422
