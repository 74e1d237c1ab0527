"""Check runs: 50 annotations a request, texts of at most 65,535 characters."""

from tests.sandbox import shapes_pull as shapes
from tests.sandbox.answering import JSON, Answer, Call, Refused, invalid, missing, not_found, typed
from tests.sandbox.world import CheckRun

MOST_ANNOTATIONS, LONGEST_TEXT, LONGEST_TITLE = 50, 65_535, 255
STATUSES = ("queued", "in_progress", "completed", "waiting", "requested", "pending")
ACTION = {"label": 20, "description": 40, "identifier": 20}


def create(call: Call) -> Answer:
    name, sha = call.given("name", str), call.given("head_sha", str)
    if name is None or sha is None:
        raise missing(*[key for key, value in (("name", name), ("head_sha", sha)) if value is None])
    if call.repository.resolve(sha) != sha:
        raise Refused(422, f"No commit found for SHA: {sha}")
    run = CheckRun(next(call.world.ids), sha, {"name": name})
    _take(call, run)
    call.world.checks[run.id] = run
    shape = shapes.check_run(call.world, call.repository, run)
    return Answer(201, shape, {"location": shape["url"]})


def edit(call: Call) -> Answer:
    run = _found(call)
    _take(call, run)
    return Answer(200, shapes.check_run(call.world, call.repository, run))


def one(call: Call) -> Answer:
    return Answer(200, shapes.check_run(call.world, call.repository, _found(call)))


def _found(call: Call) -> CheckRun:
    number = call.path["check_run_id"]
    run = call.world.checks.get(int(number)) if number.isdigit() else None
    if run is None or call.repository.resolve(run.head_sha) is None:
        raise not_found()
    return run


def _take(call: Call, run: CheckRun) -> None:
    """Take over what was sent, after GitHub's checks; annotations are added to those already there."""
    status, output = call.given("status", str), call.given("output", dict)
    if status is not None and status not in STATUSES:
        raise Refused(422, f"Invalid request.\n\n{status} is not a member of {list(STATUSES)}.")
    if status == "completed" and call.given("conclusion", str) is None:
        raise missing("conclusion")
    annotations = _output(output) if output is not None else []
    _actions(call.given("actions", list, []))
    if call.given("conclusion", str) is not None:
        run.given["status"] = "completed"
    run.given |= {key: value for key, value in call.body.items() if key not in ("head_sha", "actions")}
    run.annotations += len(annotations)


def _output(output: JSON) -> list[JSON]:
    if typed(output, "title", str) is None or typed(output, "summary", str) is None:
        raise missing("title", "summary")
    if len(output["title"]) > LONGEST_TITLE:
        raise invalid("CheckRun", "title", "custom", "title is too long (maximum is 255 characters)")
    for name in ("summary", "text"):
        if len(output.get(name) or "") > LONGEST_TEXT:
            raise invalid(
                "CheckRun", name, "custom", f"Only {LONGEST_TEXT} characters are allowed; {len(output[name])} were supplied."
            )
    annotations: list[JSON] = typed(output, "annotations", list, [])
    if len(annotations) > MOST_ANNOTATIONS:
        raise Refused(422, "Invalid request.\n\nNo more than 50 items are allowed in annotations.")
    return annotations


def _actions(actions: list[JSON]) -> None:
    if len(actions) > 3:
        raise Refused(422, "Invalid request.\n\nNo more than 3 items are allowed in actions.")
    for action in actions:
        for name, longest in ACTION.items():
            if len(typed(action, name, str) or "") > longest:
                raise Refused(422, f"Invalid request.\n\n{name} is longer than {longest} characters.")
