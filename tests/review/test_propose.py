"""A proposal holds: its suggestions go together, every finding it names is settled, and nothing new comes with it."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from review.analyzers import ANALYZERS
from review.finding import Finding, Severity, Suggestion, Verdict
from review.proposal import STEPS, Proposal, State, Wanted, states_before
from review.propose import ROUNDS, propose
from tests.builders_review import a_finding

pytestmark = pytest.mark.integration

TOOLS = tuple(analyzer() for analyzer in ANALYZERS)
NOBODY = "model"


def suggested(first: int, last: int, text: str, verdict: Verdict = Verdict.VERIFIED, because: str = "") -> Suggestion:
    return Suggestion(first, last, text, verdict, because)


def wanted(issue: str, rule: str, suggestion: Suggestion | None, *, line: int | None = None, **more: object) -> Wanted:
    at = line or (suggestion.first_line if suggestion else 1)
    return Wanted(issue, a_finding(rule=rule, line=at, suggestion=suggestion, **more))


def proposed(head: dict[str, bytes], *issues: Wanted) -> Proposal:
    return asyncio.run(propose(issues, head, TOOLS))


def reasons(proposal: Proposal) -> dict[str, str]:
    return {out.issue: out.because for out in proposal.left_out}


HEAD = {"app.py": b"import os\n\n\ndef f(a):\n    if a == None:\n        return 1\n    return 2\n"}
UNUSED = wanted("style-001", "F401", suggested(1, 1, ""))
COMPARED = wanted("style-002", "E711", suggested(5, 5, "    if a is None:"), severity=Severity.LOW)


def test_suggestions_are_combined_into_one_diff_of_each_file() -> None:
    proposal = proposed(HEAD, COMPARED, UNUSED)
    assert not proposal.left_out
    assert [settled.issue for settled in proposal.settled] == ["style-001", "style-002"]
    assert [file.path for file in proposal.files] == ["app.py"]
    assert proposal.files[0].after == b"\n\ndef f(a):\n    if a is None:\n        return 1\n    return 2\n"
    assert (proposal.files[0].lines_added, proposal.files[0].lines_removed) == (1, 2)
    assert "ruff looked at the new text" in proposal.settled[0].checked


def test_of_two_suggestions_that_touch_the_worse_findings_stays() -> None:
    mild = wanted("style-002", "E711", suggested(2, 5, "\n\ndef f(a):\n    if a is None:"), line=5, severity=Severity.LOW)
    proposal = proposed(HEAD, mild, UNUSED)
    assert [settled.issue for settled in proposal.settled] == ["style-001"]
    assert reasons(proposal) == {"style-002": "the suggestion of style-001 changes the same lines"}


def test_a_finding_without_a_suggestion_that_holds_is_left_out_with_the_reason() -> None:
    refused = wanted("a-2", "F401", suggested(1, 1, "", Verdict.REFUSED, "it is prose, not code"))
    elsewhere = wanted("a-3", "F401", suggested(1, 1, ""), path="other.py")
    proposal = proposed(HEAD, wanted("a-1", "F401", None), refused, elsewhere)
    assert not proposal.files
    assert reasons(proposal) == {
        "a-1": "there is no suggestion for it",
        "a-2": "its suggestion does not hold: it is prose, not code",
        "a-3": "the file could not be read",
    }


def test_what_does_not_settle_its_finding_is_left_out_and_the_rest_is_proposed() -> None:
    head = {"app.py": HEAD["app.py"].replace(b"import os\n", b"import os  # all\n")}
    cosmetic = wanted("style-001", "F401", suggested(1, 1, "import os"))
    proposal = proposed(head, cosmetic, COMPARED)
    assert [settled.issue for settled in proposal.settled] == ["style-002"]
    assert reasons(proposal) == {"style-001": "ruff would still find F401 there"}
    assert proposal.files[0].after.startswith(b"import os  # all\n")


def test_what_brings_a_new_finding_on_its_own_lines_is_left_out() -> None:
    shell = wanted("style-002", "E711", suggested(5, 5, "    if a is None and eval(b):"), severity=Severity.LOW)
    proposal = proposed(HEAD, shell, UNUSED)
    assert [settled.issue for settled in proposal.settled] == ["style-001"]
    assert "it would bring a new finding: ruff F821 at line 4" in reasons(proposal)["style-002"]


def test_what_brings_a_new_finding_on_other_lines_is_left_out() -> None:
    head = {"app.py": b"import os\n\nimport sys\n\n\ndef f():\n    return os.sep\n"}
    wrong = wanted("style-001", "F401", suggested(1, 1, ""), severity=Severity.LOW)
    proposal = proposed(head, wrong, wanted("style-002", "F401", suggested(3, 3, "")))
    assert [settled.issue for settled in proposal.settled] == ["style-002"]
    assert "the file would have a new finding: ruff F821 at line" in reasons(proposal)["style-001"]


def test_what_was_at_odds_with_a_suggestion_that_fails_is_tried_in_its_place() -> None:
    fails = wanted("style-001", "F401", suggested(1, 1, "import os  # kept"), severity=Severity.HIGH)
    proposal = proposed(HEAD, fails, wanted("style-002", "F401", suggested(1, 1, "")))
    assert [settled.issue for settled in proposal.settled] == ["style-002", "style-001"]
    assert not proposal.files[0].after.startswith(b"import")


def test_one_of_two_findings_of_a_rule_on_a_line_counts_as_one() -> None:
    head = {"app.py": b"import os, sys\n\nprint(1)\n"}
    proposal = proposed(head, wanted("style-001", "F401", suggested(1, 1, "import sys")))
    assert [settled.issue for settled in proposal.settled] == ["style-001"]
    proposal = proposed(head, wanted("style-001", "F401", suggested(1, 1, "import os, sys  # both")))
    assert reasons(proposal) == {"style-001": "ruff would still find F401 there"}


def test_what_another_findings_suggestion_settles_is_settled_too() -> None:
    head = {"app.py": b"import os, sys\n\nprint(1)\n"}
    taken = suggested(1, 1, "", Verdict.REFUSED, "another suggestion replaces the same lines")
    proposal = proposed(head, wanted("style-001", "F401", suggested(1, 1, "")), wanted("style-002", "F401", taken))
    assert [settled.issue for settled in proposal.settled] == ["style-001", "style-002"]
    assert "another finding settles it too" in proposal.settled[1].checked
    assert not proposal.left_out
    one_of_two = proposed(head, wanted("style-001", "F401", suggested(1, 1, "import sys")), wanted("style-002", "F401", taken))
    assert reasons(one_of_two) == {"style-002": "its suggestion does not hold: another suggestion replaces the same lines"}


def test_suggestions_that_parse_alone_and_not_together_are_not_combined() -> None:
    head = {"app.py": b"x = (1,\n     2,\n     3)\nprint(x)\n"}
    opens = wanted("a-1", "slug", suggested(1, 1, "x = (1, ("), source=NOBODY, quote="x = (1,")
    proposal = proposed(head, opens)
    assert reasons(proposal) == {"a-1": "the file would no longer parse"}


def test_a_file_is_never_left_empty() -> None:
    head = {"app.py": b"import os\nx: int\nimport sys\n"}
    issues = [wanted(f"a-{line}", "slug", suggested(line, line, ""), source=NOBODY, quote=text) for line, text in
              ((1, "import os"), (3, "import sys"))]  # fmt: skip
    assert len(proposed(head, *issues).settled) == 2
    rest = wanted("a-2", "slug", suggested(1, 1, ""), source=NOBODY)
    assert reasons(proposed({"app.py": b"import os\n"}, rest)) == {"a-2": "it deletes all that the file holds"}


def test_a_models_finding_is_settled_when_the_code_it_quotes_is_gone() -> None:
    gone = wanted("bug-001", "slug", suggested(6, 6, "        return 3"), source=NOBODY, quote="return 1")
    still = wanted("bug-002", "slug", suggested(6, 6, "        return 1 + 0"), source=NOBODY, quote="return 1")
    proposal = proposed(HEAD, gone)
    assert "no analyzer can check this finding" in proposal.settled[0].checked
    assert reasons(proposed(HEAD, still)) == {"bug-002": "the code in question would still be there"}


def test_line_ends_and_a_missing_last_one_stay_as_they_are() -> None:
    head = {"app.py": b"import os\r\nprint(1)"}
    assert proposed(head, UNUSED).files[0].after == b"print(1)"
    crlf = {"app.py": b"import os\r\nx = None\r\nprint(x == None)\r\n"}
    change = wanted("style-002", "E711", suggested(3, 3, "print(x is None)\r"))
    assert proposed(crlf, change).files[0].after == b"import os\r\nx = None\r\nprint(x is None)\r\n"


@dataclass(frozen=True)
class Fickle:
    """An analyzer that always finds something new on lines that nobody touched, or gives up at the second look."""

    name: str = "fickle"

    def wants(self, path: str) -> bool:
        return True

    async def analyze(self, folder: Path, paths: list[str]) -> list[Finding]:
        text = (folder / paths[0]).read_text()
        return [a_finding(path=paths[0], line=len(text.splitlines()), rule=f"R{len(text)}", source=self.name)]


def test_what_never_comes_to_rest_is_not_proposed() -> None:
    count = ROUNDS + 3
    head = {"app.py": b"".join(b"x%d = 1\n\n" % number for number in range(count)) + b"end = 1\n"}
    issues = [
        wanted(f"a-{n}", "slug", suggested(2 * n + 1, 2 * n + 1, f"x{n} = 22"), source=NOBODY, quote=f"x{n} = 1\n\n")
        for n in range(count)
    ]
    proposal = asyncio.run(propose(issues, head, (Fickle(),)))
    assert not proposal.settled
    assert not proposal.files
    assert len(reasons(proposal)) == count
    assert sum("did not hold together" in because for because in reasons(proposal).values()) == 3


def test_every_step_is_between_states_and_an_end_is_an_end() -> None:
    assert set(STEPS) == set(State)
    assert states_before(State.APPLIED) == [State.APPLYING]
    assert not STEPS[State.APPLIED] | STEPS[State.REJECTED] | STEPS[State.FAILED]
