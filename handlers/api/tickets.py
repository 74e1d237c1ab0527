"""One-time tickets, with which a browser opens the WebSocket of an analysis."""

from pydantic import Field

from handlers.api.endpoint import Answer, Asked, Endpoint, Needs
from handlers.api.forms import Body, Data, Id, Nothing
from handlers.api.problem import Code, not_found
from storage.accounts.tickets import TICKET_SECONDS, Ticket


class TicketWanted(Body):
    analysis_id: Id


class GivenTicket(Data):
    """`/ws/analysis/{analysis_id}?ticket=…` opens the WebSocket, once and within `expires_in` seconds."""

    ticket: str
    expires_in: int = Field(default=TICKET_SECONDS, description="seconds")


async def create_ticket(asked: Asked[TicketWanted, Nothing]) -> Answer:
    """A ticket for an analysis that the caller may see. Services need none: they send their key in a header."""
    id = asked.body.analysis_id
    if await asked.services.analyses.get(asked.caller.sight, id) is None:
        raise not_found("analysis")
    ticket = await asked.services.accounts.tickets.give(Ticket(asked.user.id, asked.caller.session, id))
    return Answer(GivenTicket(ticket=ticket), "Open the WebSocket with it.")


ENDPOINTS = (
    Endpoint(
        "POST", "/auth/tickets", "ticket.create", "A one-time ticket for a WebSocket", create_ticket, Needs.ACCOUNT,
        body=TicketWanted, data=GivenTicket, status=201, codes=(Code.NOT_FOUND,), session_only=True,
    ),
)  # fmt: skip
