"""Invitations: sent again."""

from datetime import timedelta

from shared.domain.mailing import Letter
from tests.functions.app import Api, contents_of
from tests.identity.clock import Clock
from tests.memory import MemoryTenantStore
from tests.people import BO

DAY = timedelta(days=1).total_seconds()


async def test_an_invitation_is_sent_again(api: Api, acme: MemoryTenantStore) -> None:
    """Accepted, not done: the mail is on its way (202, R9)."""
    reply = await api("resend_invitation", by="Ada", tenant="acme", member="bo")

    assert (reply.status, reply.json["invitation"]["delivery"]) == (202, "queued")
    assert acme.queued == [Letter(BO.id, 2)]


async def test_an_expired_invitation_is_opened_again(api: Api) -> None:
    """At once (R9)."""
    reply = await api("resend_invitation", by="Ada", tenant="acme", member="ivy")

    assert (reply.status, reply.json["invitation"]["state"]) == (202, "pending")


async def test_who_is_in_has_no_invitation(api: Api, acme: MemoryTenantStore) -> None:
    """There is nothing to send (R9)."""
    before = await contents_of(acme)

    assert (await api("resend_invitation", by="Ada", tenant="acme", member="cy")).problem == (409, "not-invited")
    assert await contents_of(acme) == before


async def test_a_fourth_mail_in_a_day_has_to_wait(api: Api, acme: MemoryTenantStore, clock: Clock) -> None:
    """Until midnight, as `Retry-After` says; then it goes (429)."""
    for _ in range(2):
        await api("resend_invitation", by="Ada", tenant="acme", member="bo")

    reply = await api("resend_invitation", by="Ada", tenant="acme", member="bo")

    assert reply.problem == (429, "too-many-requests")
    assert len(acme.queued) == 2
    clock.turn(int(reply.headers["Retry-After"]))
    assert (await api("resend_invitation", by="Ada", tenant="acme", member="bo")).status == 202


async def test_the_wait_is_less_than_a_day(api: Api) -> None:
    """Counted to the next midnight (UTC)."""
    for _ in range(2):
        await api("resend_invitation", by="Ada", tenant="acme", member="bo")

    reply = await api("resend_invitation", by="Ada", tenant="acme", member="bo")

    assert 0 < int(reply.headers["Retry-After"]) < DAY
