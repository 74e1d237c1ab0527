"""The API from the first account to the last file, by real web and worker processes, without a GitHub App."""

import io
import json
import os
import re
import subprocess
import threading
import zipfile
from pathlib import Path

import httpx
import pytest
from moto.server import ThreadedMotoServer

from tests.builders_proposals import BAD, MENDED
from tests.processes import free_port
from tests.walks.api_client import CODE, Somebody, somebody
from tests.walks.processes import Processes

pytestmark = pytest.mark.walk


def test_from_the_first_account_to_a_patch_that_applies(alone: Processes, tmp_path: Path) -> None:
    alone.web()
    alone.worker()
    mona = somebody(alone)
    analysis = mona.ask(upload_id=mona.upload())
    events = mona.follow(analysis)
    assert [event["type"] for event in events[-1:]] == ["complete"]
    steps = [event["progress"] for event in events if event["type"] == "progress"]
    assert steps and steps == sorted(steps)
    found = mona.analysis(analysis)
    assert events[-1]["results"] == found["results"]
    assert found["results"]["issues"]
    _reports_are_whole(mona, analysis)
    _is_mended(mona, analysis, tmp_path)


def test_everything_lies_in_s3_where_that_is_set(alone: Processes, tmp_path: Path) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        port = server.get_host_and_port()[1]
        aws = {
            "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT": f"http://127.0.0.1:{port}", "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
            "STORAGE_URL": "s3://files/here",
        }  # fmt: skip
        bucket = f"{aws['AWS_ENDPOINT']}/files"
        assert httpx.put(bucket, trust_env=False).status_code == 200
        alone.environment |= aws
        alone.web()
        alone.worker()
        mona = somebody(alone)
        analysis = mona.ask(upload_id=mona.upload())
        mona.analyzed(analysis)
        assert mona.call("GET", f"/analyses/{analysis}/report", params={"format": "pdf"}).content.startswith(b"%PDF-")
        _is_mended(mona, analysis, tmp_path)
        kept = set(re.findall("<Key>here/([a-z]+)/", httpx.get(bucket, trust_env=False).text))
    finally:
        server.stop()
    assert kept == {"uploads", "analyses", "proposals"}
    assert not (tmp_path / "data" / "objects").exists()


def test_progress_is_told_by_a_web_process_that_was_not_asked_for_the_analysis(alone: Processes) -> None:
    alone.web()
    mona, first = somebody(alone), alone.url
    alone.environment["PORT"] = str(free_port())
    alone.web()
    assert alone.url != first
    analysis = mona.ask(upload_id=mona.upload())
    told: list[list[dict[str, object]]] = []
    following = [threading.Thread(target=lambda url=url: told.append(mona.follow(analysis, url))) for url in (first, alone.url)]
    for thread in following:
        thread.start()
    alone.worker()
    for thread in following:
        thread.join(60)
    assert [events[-1]["type"] for events in told] == ["complete", "complete"]
    assert all(events[0]["type"] == "progress" for events in told)


def _reports_are_whole(mona: Somebody, analysis: int) -> None:
    pdf, html, sarif = (
        mona.call("GET", f"/analyses/{analysis}/report", params={"format": format}) for format in ("pdf", "html", "sarif")
    )
    assert pdf.content.startswith(b"%PDF-") and b"%%EOF" in pdf.content[-32:]
    assert "F401" in html.text
    results = json.loads(sarif.content)["runs"][0]["results"]
    assert len(results) == len(mona.analysis(analysis)["results"]["issues"])


def _is_mended(mona: Somebody, analysis: int, folder: Path) -> None:
    """All that can be is proposed, approved and applied; the zip holds the same as the patch makes."""
    proposal = mona.propose(analysis)
    mona.reached(proposal, "proposed")
    mona.call("PUT", f"/proposals/{proposal}", json={"state": "approved"})
    mona.call("PUT", f"/proposals/{proposal}/apply", json={"confirm": True})
    mona.reached(proposal, "applied")
    with zipfile.ZipFile(io.BytesIO(mona.call("GET", f"/proposals/{proposal}/files").content)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"shop/app.py": MENDED}
    work = folder / "work"
    for name, data in CODE.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_bytes(data)
    patch = mona.call("GET", f"/proposals/{proposal}/patch").content
    outside = os.environ | {"GIT_CEILING_DIRECTORIES": str(folder)}
    subprocess.run(["git", "apply", "-"], cwd=work, input=patch, env=outside, check=True, capture_output=True, timeout=30)
    assert (work / "shop/app.py").read_bytes() == MENDED != BAD
