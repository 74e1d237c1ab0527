"""What is written in one turn of the loop leaves in one piece, in order, before the connection ends."""

import asyncio
from typing import Any, cast

import pytest

from bot.gathered import GatheredTransport

pytestmark = pytest.mark.unit


class Wire:
    """A transport that writes down what it is told to do."""

    def __init__(self) -> None:
        self.told: list[bytes | str] = []
        self.ended = False

    def write(self, data: bytes) -> None:
        self.told.append(data)

    def close(self) -> None:
        self.told.append("close")

    def is_closing(self) -> bool:
        return self.ended

    def get_extra_info(self, name: str) -> Any:
        return f"the {name}"


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
async def transport(wire: Wire) -> GatheredTransport:
    return GatheredTransport(cast(asyncio.Transport, wire), asyncio.get_running_loop())


async def test_head_and_body_leave_together_and_the_next_answer_after_them(transport: GatheredTransport, wire: Wire) -> None:
    transport.write(b"head, ")
    transport.write(b"body")
    await asyncio.sleep(0)
    assert wire.told == [b"head, body"]
    transport.write(b"another")
    await asyncio.sleep(0)
    assert wire.told == [b"head, body", b"another"]


async def test_what_was_written_leaves_before_the_connection_is_closed(transport: GatheredTransport, wire: Wire) -> None:
    transport.write(b"head, ")
    transport.write(b"body")
    transport.close()
    assert wire.told == [b"head, body", "close"]
    await asyncio.sleep(0)
    assert wire.told == [b"head, body", "close"]


async def test_a_connection_that_broke_off_meanwhile_is_left_alone(transport: GatheredTransport, wire: Wire) -> None:
    transport.write(b"head")
    wire.ended = True
    await asyncio.sleep(0)
    assert wire.told == []


async def test_everything_else_is_asked_of_the_transport_itself(transport: GatheredTransport) -> None:
    assert transport.get_extra_info("peername") == "the peername"
