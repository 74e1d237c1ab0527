"""One request and its answer: headers, addresses, proxies, certificates, redirects, and answers that are none."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bot.github.http import Answer, Http, Lost
from review.errors import TryAgain, UserError
from tests.sandbox.github import SandboxGitHub
from tests.sandbox.serving import Scope, Serving

pytestmark = pytest.mark.integration


class Recorder:
    """A server that answers every request alike and remembers what it heard."""

    def __init__(self, status: int = 200, headers: dict[str, str] | None = None, body: bytes = b"{}") -> None:
        self.status, self.body = status, body
        self.headers = [(key.encode(), value.encode()) for key, value in (headers or {}).items()]
        self.heard: list[tuple[str, str, dict[str, str]]] = []

    async def __call__(self, scope: Scope, receive: object, send: object) -> None:
        headers = {key.decode(): value.decode() for key, value in scope["headers"]}
        self.heard.append((scope["method"], f"{scope['raw_path'].decode()}?{scope['query_string'].decode()}", headers))
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": self.body})  # type: ignore[operator]


@pytest.fixture
def serving(request: pytest.FixtureRequest) -> Iterator[tuple[Recorder, str]]:
    """A recorder and its address; indirect parameters say how it answers."""
    recorder = Recorder(**getattr(request, "param", {}))
    server = Serving(recorder)
    yield recorder, server.start()
    server.stop()


async def ask(url: str, method: str = "GET", path: str = "/x", **more: object) -> Answer:
    async with Http(url, **{"seconds": 5.0, **more.pop("http", {})}) as http:  # type: ignore[arg-type]
        return await http.send(method, path, "Bearer ghs_secret", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("base", ["/api/v3", "/api/v3/", "", "/"])
async def test_the_path_follows_the_base_of_an_enterprise_server(serving: tuple[Recorder, str], base: str) -> None:
    recorder, url = serving
    await ask(f"{url}{base}", path="/repos/o/r/contents/a%20b/%C3%A4%2F", params={"ref": "fe/ä&x=1", "page": 2})
    ((method, target, headers),) = recorder.heard
    assert (method, target) == ("GET", f"{base.rstrip('/')}/repos/o/r/contents/a%20b/%C3%A4%2F?ref=fe%2F%C3%A4%26x%3D1&page=2")
    assert headers["authorization"] == "Bearer ghs_secret"
    assert headers["accept"] == "application/vnd.github+json"
    assert (headers["x-github-api-version"], headers["user-agent"]) == ("2022-11-28", "RefactorIQ")


async def test_a_body_goes_out_as_json(github: SandboxGitHub, serving: tuple[Recorder, str]) -> None:
    recorder, url = serving
    await ask(url, "POST", body={"body": "ä"})
    headers = recorder.heard[0][2]
    assert (headers["content-type"], headers["content-length"]) == ("application/json", "13")


@pytest.mark.parametrize("serving", [{"status": 500, "body": b"<html>"}, {"status": 404}, {"status": 422}], indirect=True)
async def test_any_status_is_an_answer(serving: tuple[Recorder, str]) -> None:
    recorder, url = serving
    answer = await ask(url)
    assert (answer.status, answer.content) == (recorder.status, recorder.body)
    assert len(recorder.heard) == 1, "sent once"


async def test_a_redirect_within_the_host_is_followed_with_the_token(serving: tuple[Recorder, str]) -> None:
    """As for a repository that was renamed."""
    recorder, _ = serving
    redirecting = Recorder(301, {"location": "/repositories/1"})
    server = Serving(redirecting)
    address = server.start()
    with pytest.raises(Lost) as lost:
        await ask(address)
    server.stop()
    assert lost.value.sent
    assert redirecting.heard[1][1] == "/repositories/1?"
    assert redirecting.heard[1][2]["authorization"] == "Bearer ghs_secret"
    assert recorder.heard == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_to_elsewhere_does_not_take_the_token_along(serving: tuple[Recorder, str], status: int) -> None:
    recorder, url = serving
    server = Serving(Recorder(status, {"location": f"{url}/elsewhere"}))
    await ask(server.start())
    server.stop()
    assert all("authorization" not in headers for _, _, headers in recorder.heard)


@pytest.mark.parametrize("kind", ["lose_request", "lose_answer", "hang"])
async def test_no_answer_to_what_was_sent_is_lost_and_may_have_been_heard(github: SandboxGitHub, kind: str) -> None:
    github.fault("*", "/meta", kind)
    with pytest.raises(Lost, match="GET /meta") as lost:
        await ask(github.api_url, path="/meta", http={"seconds": 0.3})
    assert lost.value.sent
    assert "ghs_secret" not in str(lost.value)


async def test_a_server_that_is_not_there_never_heard_it(serving: tuple[Recorder, str]) -> None:
    for url in ("http://127.0.0.1:9", "http://name.invalid"):
        with pytest.raises(Lost) as lost:
            await ask(url)
        assert not lost.value.sent


@pytest.mark.parametrize("serving", [{"headers": {"content-encoding": "gzip"}, "body": b"not gzip"}], indirect=True)
async def test_an_answer_that_cannot_be_decoded_is_lost_after_it_was_sent(serving: tuple[Recorder, str]) -> None:
    with pytest.raises(Lost) as lost:
        await ask(serving[1], "POST", body={})
    assert lost.value.sent


async def test_plain_http_goes_past_the_proxy_and_https_through_it(
    serving: tuple[Recorder, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    async with await asyncio.start_server(proxy, "127.0.0.1", 0) as server:
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(Lost) as lost:
            await ask("https://ghe.example/api/v3", http={"proxy": address})
    assert heard[0].startswith(b"CONNECT ghe.example:443 ")
    assert b"secret" not in heard[0]
    assert not lost.value.sent
    await ask(serving[1], http={"proxy": "http://127.0.0.1:9"})
    assert len(serving[0].heard) == 1


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A company's own certificate for 127.0.0.1, with its key in the same file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ghe")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "ca.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


async def test_a_companys_own_certificate_is_trusted_where_it_is_named_and_only_there(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder, config = Recorder(), uvicorn.Config
    options = {"ssl_certfile": str(certificate), "ssl_keyfile": str(certificate)}
    monkeypatch.setattr(uvicorn, "Config", lambda *given, **more: config(*given, **more, **options))
    server = Serving(recorder)
    url = server.start().replace("http:", "https:")
    assert (await ask(url, http={"ca_file": str(certificate)})).status == 200
    with pytest.raises(Lost) as lost:
        await ask(url)
    assert not lost.value.sent
    server.stop()
    assert len(recorder.heard) == 1


@pytest.mark.parametrize("content", [None, b"no certificates"])
async def test_a_certificate_file_that_is_none_is_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)
    with pytest.raises(UserError, match="SSL_CERT_FILE"):
        Http("https://api.github.com", ca_file=str(tmp_path / "ca.pem"))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"message":"Not Found","documentation_url":"x"}', "Not Found"),
        (b'{"message":"Unprocessable","errors":["Line could not be resolved"]}', "Unprocessable: Line could not be resolved"),
        (b'{"message":"V","errors":[{"resource":"R","field":"f","code":"c"},{"message":"m"}]}', "V: R f c; m"),
        (b'{"message":"V","errors":"a sentence"}', "V: a sentence"),
        (b'{"message":"V","errors":null}', "V"),
        (b'{"message":null,"errors":[null, 7]}', "None; 7"),
        (b"<html>Unicorn!</html>", ""),
        (b"[]", ""),
        (b"", ""),
        (b"\xff", ""),
        (b'{"message":"' + b"x" * 5_000 + b'"}', "x" * 1_000),
    ],
)  # fmt: skip
def test_githubs_words_are_told(body: bytes, said: str) -> None:
    assert Answer(422, {}, body).message == said


@pytest.mark.parametrize(
    ("status", "headers", "body", "wait"),
    [
        (403, {"retry-after": "7"}, b"", 7.0),
        (429, {"retry-after": "0"}, b"", 0.0),
        (429, {}, b"", 60.0),
        (403, {}, b'{"message":"You have exceeded a secondary rate limit."}', 60.0),
        (403, {}, b'{"message":"You have triggered an abuse detection mechanism."}', 60.0),
        (403, {}, b'{"message":"Resource not accessible by integration"}', None),
        (403, {"x-ratelimit-remaining": "12", "x-ratelimit-reset": "99999999999"}, b'{"message":"no"}', None),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, b"", 1.0),
        (429, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, b"", 60.0),
        (503, {"retry-after": "7"}, b"", None),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, b"", None),
    ],
)
def test_a_limit_says_how_long_to_wait(status: int, headers: dict[str, str], body: bytes, wait: float | None) -> None:
    assert Answer(status, headers, body).limited_for() == wait


def test_pages_are_read_from_the_link_header() -> None:
    link = '<https://ghe/api/v3/x?per_page=100&page=3>; rel="next", <https://ghe/x?page=12&per_page=100>; rel=last'
    answer = Answer(200, {"link": link}, b"[]")
    assert (answer.page("next"), answer.page("last"), answer.page("prev")) == (3, 12, None)
    assert Answer(200, {"link": '<https://ghe/x?after=abc>; rel="next"'}, b"[]").page("next") is None
    assert Answer(200, {}, b"[]").page("last") is None


@pytest.mark.parametrize("content", [b"", b"<html>", b'{"a":', b"\xff\xfe", b"[" * 2_000])
def test_an_answer_that_is_no_json_is_for_later(content: bytes) -> None:
    with pytest.raises(TryAgain):
        Answer(200, {}, content).json()
