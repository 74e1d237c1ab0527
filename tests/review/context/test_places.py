"""What ties a chunk to a change is found, weighed, and said."""

import pytest

from review.context.at_base import shown_at_base
from review.context.parse import parse
from review.context.places import Weighed, called_in, weigh
from review.context.query import query_of
from tests.builders_models import Texts, a_diff, as_bytes

pytestmark = pytest.mark.unit

CLIENT = """\
import time

LIMIT = 3


class Client:
    timeout = 5

    def fetch(self, url):
        return retry(lambda: self.get(url), times=LIMIT)

    def get(self, url):
        time.sleep(1)
        return url


def unrelated(number):
    return number + 1
"""
CHANGED = CLIENT.replace("times=LIMIT)", "times=LIMIT + 1)")
RETRY = """\
def retry(call, times):
    for _ in range(times):
        call()


def forget(seconds):
    return seconds
"""
CALLER = """\
from client import Client


def download(client, urls):
    return [client.fetch(url) for url in urls]
"""
OTHER = """\
class Fake:
    def fetch(self, url):
        return ""
"""


def weighed(others: Texts, base: Texts | None = None, head: Texts | None = None) -> list[Weighed]:
    before, after = base or {"client.py": CLIENT}, head or {"client.py": CHANGED}
    diff = a_diff(before, after)
    query = query_of(diff, as_bytes(before))
    chunks = {path: parse(path, text.encode()).chunks for path, text in {**before, **others}.items()}
    return weigh(chunks, query, shown_at_base(diff), called_in(diff))


def told(found: list[Weighed]) -> dict[tuple[str, str], str]:
    return {(item.path, item.chunk.symbol): item.why for item in found}


def test_definitions_callers_and_namesakes_are_told_apart() -> None:
    why = told(weighed({"retry.py": RETRY, "caller.py": CALLER, "fake.py": OTHER}))
    assert why["retry.py", "retry"] == "defines `retry`, which the change uses"
    assert why["caller.py", "download"] == "uses `fetch`, which the change alters"
    assert why["fake.py", "Fake.fetch"] == "is another `fetch`, which the change alters"
    assert ("retry.py", "forget") not in why


def test_a_test_of_what_is_altered_is_told_as_one() -> None:
    why = told(weighed({"tests/test_client.py": "def test_it(client):\n    assert client.fetch('x') == 'x'\n"}))
    assert why["tests/test_client.py", "test_it"] == "tests `fetch`, which the change alters"


def test_who_still_uses_what_is_taken_away_is_found() -> None:
    base = {"a.py": "def start(queue):\n    drain_slowly(queue)\n"}
    head = {"a.py": "def start(queue):\n    pass\n"}
    why = told(weighed({"b.py": "def stop(queue):\n    drain_slowly(queue)\n"}, base, head))
    assert why["b.py", "stop"] == "uses `drain_slowly`, which the change takes away"


def test_a_helper_in_the_same_file_counts() -> None:
    far = "\n\n".join(f"def filler_{number}():\n    return {number}\n" for number in range(5))
    base = f"def helper(amount):\n    return amount * 2\n\n\n{far}\n\ndef pay(amount):\n    return amount\n"
    head = base.replace("return amount\n", "return helper(amount)\n")
    why = told(weighed({}, {"a.py": base}, {"a.py": head}))
    assert why["a.py", "helper"] == "defines `helper`, which the change uses"


def test_a_function_that_is_only_called_like_a_variable_is_worth_little() -> None:
    base = {"a.py": "def pay(amount):\n    return amount\n"}
    head = {"a.py": "def pay(amount):\n    message = amount\n    return message\n"}
    (as_variable,) = weighed({"b.py": "class Answer:\n    def message(self):\n        return 1\n"}, base, head)
    called = {"a.py": "def pay(amount):\n    return amount.message()\n"}
    (as_function,) = weighed({"b.py": "class Answer:\n    def message(self):\n        return 1\n"}, base, called)
    assert as_variable.score < 0.35 < as_function.score


def test_what_only_one_chunk_defines_counts_more_than_what_many_do() -> None:
    many = {f"m{number}.py": "def get(self):\n    return 1\n" for number in range(12)}
    base = {"a.py": "def pay(x):\n    return x\n"}
    head = {"a.py": "def pay(x):\n    return compute_rate(x.get())\n"}
    found = weighed({**many, "z.py": "def compute_rate(x):\n    return x\n"}, base, head)
    scores = {item.path: item.score for item in found}
    assert scores["z.py"] > 2 * max(scores[path] for path in many)


def test_lines_that_the_diff_shows_are_never_among_the_places() -> None:
    base = {"a.py": CLIENT}
    diff = a_diff(base, {"a.py": CHANGED})
    shown = shown_at_base(diff)["a.py"]
    chunks = {"a.py": parse("a.py", CLIENT.encode()).chunks}
    found = weigh(chunks, query_of(diff, as_bytes(base)), shown_at_base(diff), called_in(diff))
    assert found
    assert not any(number in shown for item in found for number in range(item.chunk.first_line, item.chunk.last_line + 1))


def test_the_rest_of_a_long_function_is_told_as_such() -> None:
    body = "".join(f"    step_{number} = prepare(step_{number - 1})\n" for number in range(1, 40))
    base = f"def run(step_0):\n{body}    return step_39\n"
    head = base.replace("return step_39", "return step_38")
    (rest,) = weighed({}, {"a.py": base}, {"a.py": head})
    assert (rest.why, rest.chunk.first_line) == ("the rest of `run`, which the change alters", 1)


def test_of_a_huge_file_only_what_is_asked_for_is_read() -> None:
    filler = "".join(f"def filler_{number}(urls):\n    return '{'x' * 80}'\n\n\n" for number in range(2_500))
    found = weighed({"huge.py": f"{filler}{CALLER}"})
    assert [item.chunk.symbol for item in found if item.path == "huge.py"] == ["download"]
