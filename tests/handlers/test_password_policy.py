"""Which passwords are refused, and which are not."""

import pytest

from handlers.api.password_policy import common, why_weak

pytestmark = pytest.mark.unit

EMAIL = "mona.lisa.smith@example.com"


@pytest.mark.parametrize(
    "password",
    [
        "password1234", "PASSWORD!2024", "Passw0rd1234", "qwertyuiop123", "123456789012", "iloveyou123456", "Administrator1!",
        "letmein00000!!", "correcthorsebatterystaple", "1qaz2wsx3edc4rfv", "000000000000000", "abababababab", "summer20242025",
    ],
)  # fmt: skip
def test_what_is_guessed_first_is_refused(password: str) -> None:
    assert why_weak(password, EMAIL).endswith(("characters.", "words.", "one.", "ones."))


@pytest.mark.parametrize("password", [EMAIL, EMAIL.upper(), f" {EMAIL} ", "mona.lisa.smith"])
def test_the_address_is_no_password(password: str) -> None:
    assert "e-mail address" in why_weak(password, EMAIL)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple", "Tr0ub4dor&3xyzzy", "пароль из четырёх слов", "84 71 90 23 65 17", "漢字 und пαsswοrd",
        "mona.lisa.smith plus a painting",
    ],
)  # fmt: skip
def test_what_is_long_and_nobody_elses_may_be_used_whatever_its_characters(password: str) -> None:
    assert why_weak(password, EMAIL) == ""


def test_the_list_is_read_from_its_file() -> None:
    assert len(common()) > 200
    assert "password" in common()
