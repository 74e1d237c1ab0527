"""Put mails on the queue: what is to be sent to whom. No secret stands in a job; it is made when the mail is sent."""

import hashlib
import time
from dataclasses import dataclass
from typing import Any, Literal

from handlers.put_jobs import OwnJob, put_own_jobs
from storage.deliveries import Deliveries
from storage.queue import Queue

KIND = "send_mail"

EVERY = 60
"""Seconds: the same mail to the same address is put once in so many."""

MailKind = Literal["confirm_email", "reset_password", "invitation", "password_changed", "email_changed"]


@dataclass(frozen=True, slots=True)
class Mailing:
    """`off` is a sentence where this installation sends no mail, and empty where it does."""

    deliveries: Deliveries
    queue: Queue
    off: str = ""

    async def put(self, mail: MailKind, email: str, user_id: int | None = None) -> None:
        """Have that mail sent. It takes as long, and tells as much, whether there is an account or not. Raises Away.

        Without `user_id` whoever has the address is meant; it is looked up when the mail is sent.
        """
        arguments: dict[str, Any] = {"mail": mail, "email": email, "user_id": user_id}
        job = OwnJob(_id(mail, email, user_id), KIND, arguments, "high")
        await put_own_jobs(self.deliveries, self.queue, [job])


def _id(mail: MailKind, email: str, user_id: int | None) -> str:
    now = int(time.time() / EVERY)
    return f"mail-{hashlib.sha256(f'{mail}:{user_id}:{email.casefold()}:{now}'.encode()).hexdigest()[:32]}"
