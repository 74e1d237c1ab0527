"""Made-up secrets of every form, put together here so that no scanner of secrets takes this repository for a leak."""

LETTERS = "kP9xT2mQ7vLwZ4bN8cRj5dHs"
KEY_LINE = "MIIEvQ" + "IBADANBgkq7hXo2Zc9" * 3
PEM = "PRIVATE " + "KEY-----"


def letters(count: int) -> str:
    """So many letters and digits without order; always the same ones."""
    return (LETTERS * (count // len(LETTERS) + 1))[:count]


def private_key(kind: str = "", lines: int = 4, end: str = "\n") -> str:
    """A private key in PEM, with so many lines inside."""
    body = end.join(f"{KEY_LINE}{number:02}" for number in range(lines))
    return f"-----BEGIN {kind}{PEM}{end}{body}{end}-----END {kind}{PEM}"


MADE_UP = {
    "aws-access-key": 'id = "' + "AKIA" + "Q" * 16 + '"',
    "aws-secret-key": "aws_secret_access_key = " + letters(39) + "/",
    "github-token": "ghp_" + letters(36),
    "gitlab-token": "glpat-" + letters(20),
    "slack-token": "xoxb-" + "2" * 11 + "-" + "3" * 12 + "-" + letters(24),
    "slack-webhook": "https://hooks.slack" + ".com/services/" + "T" + "A" * 8 + "/" + "B" * 9 + "/" + letters(24),
    "stripe-key": "sk_" + "live_" + letters(24),
    "private-key": private_key("RSA "),
    "encrypted-private-key": "-----BEGIN RSA " + PEM + "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A1B\n\n" + KEY_LINE,
    "putty-private-key": "PuTTY-User-" + "Key-File-2: ssh-rsa\nComment: me\nPrivate-" + "Lines: 4\n" + KEY_LINE,
    "private-key-end": "\n".join(private_key().split("\n")[2:]),
    "openai-key": "sk-" + "proj-" + letters(30) + "T3Blbk" + "FJ" + letters(30),
    "anthropic-key": "sk-" + "ant-api03-" + letters(93) + "AA",
    "google-api-key": "AI" + "za" + letters(35),
    "google-oauth-secret": "GOC" + "SPX-" + letters(28),
    "azure-storage-key": "Account" + "Key=" + letters(86) + "==",
    "azure-client-secret": "abc" + "8Q~" + letters(34),
    "npm-token": "npm_" + letters(36),
    "pypi-token": "pypi-" + "AgEIcHlwaS5vcmc" + letters(80),
    "sendgrid-key": "SG" + "." + letters(22) + "." + letters(43),
    "square-secret": "sq0" + "csp-" + letters(43),
    "discord-token": "M" + letters(23) + "." + letters(6) + "." + letters(27),
    "telegram-token": "12345" + "67891" + ":AA" + letters(33),
    "mailchimp-key": "0a1b2c3d" * 4 + "-us" + "12",
    "twilio-key": "SK" + "0a1b2c3d" * 4,
    "huggingface-token": "hf_" + "aBcDeFgHiJkLmNoPqR" + "sTuVwZyAbCdEfGhI",
    "digitalocean-token": "dop_" + "v1_" + "0a1b2c3d" * 8,
    "shopify-token": "shp" + "at_" + "0a1b2c3d" * 4,
    "databricks-token": "da" + "pi" + "0a1b2c3d" * 4,
    "vault-token": "hv" + "s." + letters(28),
    "json-web-token": "ey" + "J" + letters(20) + ".ey" + "J" + letters(40) + "." + letters(43),
    "password-in-url": "postgresql://app:" + letters(12) + "@db.internal.acme.io/app",
    "hard-coded-secret": 'api_key = "' + letters(24) + '"',
}
"""A line, or a few, for each kind of kinds.toml."""
