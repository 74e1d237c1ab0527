"""What must not happen, whatever comes in: silence, a stack trace for strangers, a word posted by a job that broke."""

import json

import pytest

from bot.web import WEBHOOK
from bot.worker import MOST_BUGS, attempt
from tests.builders import Symlink
from tests.sandbox import payloads
from tests.sandbox.world import PullRequest, Repository
from tests.walks.conftest import LEAK
from tests.walks.house import FINAL, House

pytestmark = pytest.mark.walk


async def test_a_bug_in_mid_review_posts_nothing_and_is_told_by_its_name_only(
    house: House, pull: PullRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError(f"in {LEAK['config.js']}")

    monkeypatch.setattr("handlers.reviewing.write_review", broken)
    id = await house.tell(pull)
    job = await house.next_job()
    assert job is not None
    for _ in range(MOST_BUGS):
        await attempt(house.settings, job["kind"], job["arguments"])
        house.sql("UPDATE reviews SET heartbeat_at = '-infinity'")
    row = await house.row(id)
    assert (row.state, row.outcome) == ("failed", "A mistake of ours (ZeroDivisionError); the log tells more.")
    assert house.github.reviews(pull.repository, pull.number) == []
    bugs = [line for line in house.log if line["event"] == "bug"]
    assert {line["delivery"] for line in bugs} == {id}
    assert len(bugs) == MOST_BUGS


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),
        (b'{"action": "\xff"}', {}, 400),
        (b'{"a":' * 50_000 + b"}" * 50_000, {}, 400),
        (b"{}", {"x-hub-signature-256": "sha256=00"}, 401),
        (b"{}", {"x-github-delivery": "../../etc/passwd"}, 400),
        (b"{}", {"content-length": str(26 * 1024 * 1024)}, 413),
    ],
    ids=["no JSON", "no UTF-8", "deep", "unsigned", "odd id", "large"],
)
async def test_bad_input_ends_in_a_sentence_for_the_sender_and_a_line_in_the_log(
    house: House, body: bytes, headers: dict[str, str], status: int
) -> None:
    given = payloads.headers(house.github.world, "pull_request", "d-1", house.github.webhook_secret, body)
    answer = await house.client.post(WEBHOOK, content=body, headers=given | headers)
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text
    [line] = [line for line in house.log if line["event"] == "webhook refused"]
    assert (line["status"], line["because"]) == (status, answer.json()["error"])
    assert await house.deliveries.recent() == []


async def test_every_delivery_of_a_busy_day_ends_in_a_final_state(house: House, repository: Repository) -> None:
    github = house.github
    pulls = [github.open_pull_request(repository, {"a.txt": f"{n}\n"}, draft=n == 1) for n in range(3)]
    ids = [await house.tell(pull, action) for pull in pulls for action in ("opened", "labeled", "reopened")]
    github.push(pulls[0], LEAK)
    ids += [await house.tell(pulls[0], "synchronize"), await house.deliver("check_suite", {"action": "completed"})]
    github.close(pulls[2], merged=True)
    ids.append(await house.tell(pulls[2], "closed"))
    held = github.world.installation_of(repository)
    assert held is not None
    await house.work()  # a suspension goes before reviews
    ids.append(await house.deliver("installation", github.installation_payload(held, "suspend")))
    for id in ids:
        await house.settle(id)
    rows = [await house.row(id) for id in ids]
    assert all(row.state in FINAL and row.outcome for row in rows)
    assert {"ignored", "done", "superseded"} <= {row.state for row in rows}


async def test_a_hostile_tree_is_reviewed_like_any_other(house: House, repository: Repository) -> None:
    """Hooks, filters, attributes, links out of the tree, a configuration that would silence the tools."""
    pull = house.github.open_pull_request(
        repository,
        {
            ".gitattributes": "* filter=evil diff=evil\n",
            ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = ext::sh -c touch% /tmp/pwned\n',
            "link": Symlink("/etc/passwd"),
            "pyproject.toml": "[tool.ruff]\nexclude = ['*']\n",
            "we ird/ü\n.js": LEAK["config.js"],
            "-rf.js": LEAK["config.js"].replace("Q7XJ", "W6ZK"),
        },
    )
    row = await house.review(pull)
    assert row.state == "done", row.outcome
    paths = {comment.path for comment in house.github.comments(repository, pull.number)}
    assert "-rf.js" in paths
    assert "root:" not in json.dumps([review.body for review in house.standing(pull)])
