"""The way out: which address goes through the proxy, and whose certificates count there."""

import ssl

import pytest

from bot.way_out import proxy_to, trusted_at

pytestmark = pytest.mark.unit

PROXY = "http://proxy:3128"


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("https://api.github.com", PROXY),
        ("http://api.github.com", ""),
        ("https://ghe.inside.example/api/v3", ""),
        ("https://127.0.0.1:8000", ""),
    ],
)
def test_only_https_goes_through_the_proxy_and_no_host_that_no_proxy_names(
    monkeypatch: pytest.MonkeyPatch, url: str, proxy: str
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("no_proxy", "inside.example,127.0.0.1")
    assert proxy_to(url, PROXY) == proxy


def test_plain_http_trusts_no_certificate_at_all() -> None:
    context = trusted_at("http://api.github.test", "")
    assert isinstance(context, ssl.SSLContext)
    assert (context.verify_mode, context.get_ca_certs()) == (ssl.CERT_REQUIRED, [])


def test_without_a_file_the_systems_certificates_count() -> None:
    assert trusted_at("https://api.github.com", "") is True
