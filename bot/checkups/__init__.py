"""The table of checkups, in the order in which they are told."""

from bot.checkups.checkup import Checkup
from bot.checkups.embeddings import embeddings
from bot.checkups.github import github
from bot.checkups.machine import data_dir, git, python
from bot.checkups.models import models
from bot.checkups.network import certificates, proxy, public_url
from bot.checkups.secrets import secret_key, webhook_secret
from bot.checkups.services import postgres, redis
from bot.checkups.storage import storage

CHECKUPS: dict[str, Checkup] = {
    "Python": python,
    "git": git,
    "DATA_DIR": data_dir,
    "STORAGE_URL": storage,
    "SECRET_KEY": secret_key,
    "DATABASE_URL": postgres,
    "REDIS_URL": redis,
    "GitHub": github,
    "GITHUB_WEBHOOK_SECRET": webhook_secret,
    "PUBLIC_URL": public_url,
    "Models": models,
    "Embeddings": embeddings,
    "HTTPS_PROXY": proxy,
    "SSL_CERT_FILE": certificates,
}
"""What each looks at, by the name that its failure is told under."""
