"""The doctor on the files that last: STORAGE_URL can be written to, and read back."""

import asyncio
import secrets

import obstore
from obstore.exceptions import BaseError

from bot.checkups.checkup import Line, ok, wrong
from bot.settings import Settings
from storage.objects import open_store

SUBJECT = "STORAGE_URL"
SECONDS = 5.0


async def storage(settings: Settings) -> list[Line]:
    """A small object written, read and removed again. Raises UserError."""
    if not settings.storage_url:
        return [ok(SUBJECT, "is not set: files are kept in DATA_DIR.")]
    store = open_store(settings.storage_url, settings.data_dir)
    name, content = f"doctor-{secrets.token_hex(8)}", b"written by refactoriq doctor"
    try:
        async with asyncio.timeout(SECONDS):
            await obstore.put_async(store, name, content)
            read = bytes(await (await obstore.get_async(store, name)).bytes_async())
            await obstore.delete_async(store, name)
    except TimeoutError:
        return [wrong(SUBJECT, f"No answer within {SECONDS:.0f} s: check the address and the way there.")]
    except (BaseError, OSError) as error:
        return [wrong(SUBJECT, f"Files cannot be kept there: {str(error).splitlines()[0][:200]}. Check address and rights.")]
    if read != content:
        return [wrong(SUBJECT, "What is written there comes back as something else: name another place.")]
    return [ok(SUBJECT, f"files can be kept in {settings.storage_url}.")]
