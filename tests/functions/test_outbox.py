"""Mails: from a request through the queue to the mailbox, and what the member shows of it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import aiohttp
import azure.functions as func
import pytest

from shared import wiring
from shared.domain.invitations import resend
from shared.domain.membership import Delivery, Member
from shared.domain.principals import TenantId
from shared.email.sender import MailNotSent, MailRefused, MailThrottled, MailUnavailable
from shared.settings import STORAGE
from shared.storage.outbox import Nudge
from shared.storage.tenant_store import Wanted, change
from shared.telemetry.defects import Defect
from shared.version import VERSION
from shared.wiring import TABLES
from tests.azurite import Azurite
from tests.functions.app import Api, contents_of, settings_for, told_by
from tests.functions.endpoints import BODIES
from tests.functions.stored import Mailbox, StoredApp, next_message
from tests.identity.clock import Clock
from tests.identity.issuer import Issuer
from tests.people import AT, OPERATOR


@dataclass(frozen=True, slots=True)
class Post:
    """A tenant that was created just now, and the functions that its first mail goes through."""

    app: StoredApp
    api: Api
    clock: Clock
    tenant: TenantId
    message: str

    @property
    def mailbox(self) -> Mailbox:
        """Where mails arrive."""
        return self.app.email

    async def call(self, name: str, message: str | None = None) -> None:
        """Hand a message to one of the functions that the queue triggers."""
        await self.api.functions[name](func.QueueMessage(body=message or self.message))

    async def invited(self) -> Member:
        """Look at the administrator who was invited."""
        store = await self.app.tenants.open(self.tenant)
        (member,), _ = await contents_of(store)
        return member

    async def delivery(self) -> tuple[Delivery, str | None]:
        """Tell how far the mail has come."""
        invitation = (await self.invited()).invitation
        assert invitation
        return invitation.delivery, invitation.reason


@pytest.fixture
async def stored(azurite: Azurite, contoso: Issuer, clock: Clock) -> AsyncIterator[StoredApp]:
    """Make the app on the shared Azurite."""
    settings = settings_for(contoso.directory, storage={STORAGE: azurite.connection_string})
    async with aiohttp.ClientSession() as session:
        app = StoredApp(settings, clock=told_by(clock), session=session, queue_name=f"queue{uuid4().hex}")
        await app.tables.create_if_missing(TABLES)
        wiring.install(app)
        yield app
        await app.client.close()


@pytest.fixture
async def post(stored: StoredApp, azurite: Azurite, contoso: Issuer, functions: Any, clock: Clock) -> Post:
    """Create a tenant, and take the message that asks for its mail from the queue."""
    api, tenant = Api(functions, contoso), TenantId(f"initech-{uuid4().hex}")
    reply = await api("create_tenant", by="Olga", body=BODIES["create_tenant"] | {"id": tenant})
    assert reply.status == 201, reply.text
    return Post(stored, api, clock, tenant, await next_message(azurite, stored.queue_name))


async def test_an_invitation_is_mailed(post: Post) -> None:
    """One mail, to the person, with the tenant's name and address, and no secret (R4)."""
    await post.call("work_off")

    ((mail, _),) = post.mailbox.mails
    assert mail.to == "ada@contoso.test"
    assert "Initech" in mail.subject
    assert "https://initech.integrate.test" in mail.text


async def test_a_mail_that_was_sent_is_seen_on_the_member(post: Post) -> None:
    """And when (R30)."""
    post.clock.turn(5)

    await post.call("work_off")

    invitation = (await post.invited()).invitation
    assert invitation
    assert (invitation.delivery, invitation.sent_at) == (Delivery.SENT, AT + timedelta(seconds=5))


async def test_a_message_that_comes_twice_sends_one_mail(post: Post) -> None:
    """Queues repeat themselves (R4)."""
    await post.call("work_off")
    await post.call("work_off")

    assert len(post.mailbox.mails) == 1


async def test_a_mail_is_not_sent_when_the_person_is_in_already(post: Post) -> None:
    """They have signed in before the mail went out; nobody needs it any more (R12)."""
    await post.api("sign_in", by="Ada", body={"product": "integrate"})

    await post.call("work_off")

    assert post.mailbox.tried == []


async def test_a_mail_is_not_sent_when_a_later_one_was_asked_for(post: Post, azurite: Azurite) -> None:
    """One round, one mail (R12, R30)."""
    store = await post.app.tenants.open(post.tenant)
    member = (await post.invited()).id
    wanted = Wanted(members=frozenset({member}))
    await change(store, lambda facts: resend(facts, member), wanted=wanted, author=lambda _: OPERATOR)

    await post.call("work_off")
    assert post.mailbox.tried == []
    await post.call("work_off", await next_message(azurite, post.app.queue_name))
    assert len(post.mailbox.mails) == 1


async def test_a_mail_that_is_refused_fails_with_the_reason(post: Post) -> None:
    """The invitation itself stays, and nothing is tried again (R30)."""
    post.mailbox.trouble = MailRefused("Recipient is suppressed.")

    await post.call("work_off")
    await post.call("work_off")

    assert await post.delivery() == (Delivery.FAILED, "Recipient is suppressed.")
    assert len(post.mailbox.tried) == 1


@pytest.mark.parametrize(
    ("trouble", "seconds"), [(MailThrottled(60), 60), (MailUnavailable("no answer"), 1)], ids=["throttled", "silent"]
)
async def test_a_mail_waits_while_the_service_takes_none(post: Post, trouble: MailNotSent, seconds: int) -> None:
    """Nothing is sent before the time is up, and then the same operation is tried again (R30)."""
    post.mailbox.trouble = trouble
    await post.call("work_off")
    post.mailbox.trouble = None

    post.clock.turn(seconds - 0.5)
    await post.call("work_off")
    assert (await post.delivery(), post.mailbox.mails) == ((Delivery.QUEUED, None), [])

    post.clock.turn(0.5)
    await post.call("work_off")
    assert await post.delivery() == (Delivery.SENT, None)
    assert len(set(post.mailbox.tried)) == 1


async def test_a_mail_waits_for_the_message_that_was_asked_for(post: Post, azurite: Azurite) -> None:
    """Putting off is asking again, later; the message itself has not failed."""
    post.mailbox.trouble = MailUnavailable("no answer")

    await post.call("work_off")

    first, again = (Nudge.load(each) for each in (post.message, await next_message(azurite, post.app.queue_name)))
    assert (again.partition, again.works) == (first.partition, first.works)
    assert first.trace
    assert again.trace
    assert first.trace.id == again.trace.id


async def test_a_message_that_fails_for_good_is_seen_on_the_member(post: Post) -> None:
    """Somebody has to look at it: nothing more is sent (R30)."""
    await post.call("give_up_work")
    await post.call("work_off")

    assert await post.delivery() == (Delivery.FAILED, "not-processed")
    assert post.mailbox.tried == []


async def test_a_message_that_fails_after_its_work_is_done_changes_nothing(post: Post) -> None:
    """The mail is out; the failure came later."""
    await post.call("work_off")

    await post.call("give_up_work")

    assert await post.delivery() == (Delivery.SENT, None)


UNREADABLE = ["", "mail", "[]", "{}", '{"v": 2}', '{"v": 1, "tenant": 1, "outboxIds": []}', '{"v": 1, "tenant": "a!b"}']


@pytest.mark.parametrize("message", UNREADABLE)
async def test_a_message_of_somebody_else_fails_and_is_given_up(post: Post, message: str) -> None:
    """It ends in the poison queue, where it is logged and harms nobody."""
    post.app.email.mails.clear()

    with pytest.raises(Defect, match=r"^\w+Error.* at .*shared/storage/outbox.py:\d+"):
        await post.api.functions["work_off"](func.QueueMessage(body=message))
    await post.api.functions["give_up_work"](func.QueueMessage(body=message))

    assert post.mailbox.tried == []


async def test_a_mail_whose_message_was_lost_is_found_again(post: Post, azurite: Azurite) -> None:
    """The timer asks again for what has waited too long."""
    post.clock.turn(60)

    await post.api.functions["sweep_outbox"](None)

    nudge = Nudge.load(post.message)
    found = [Nudge.load(await next_message(azurite, post.app.queue_name))]
    while nudge.partition not in {each.partition for each in found}:
        found.append(Nudge.load(await next_message(azurite, post.app.queue_name)))
    assert nudge.works == found[-1].works


async def test_a_mail_that_was_sent_is_not_asked_for_again(post: Post, azurite: Azurite) -> None:
    """There is nothing left to find."""
    await post.call("work_off")
    post.clock.turn(60)

    assert await post.app.outbox.open_work(Nudge.load(post.message).partition) == {}


async def test_a_tenant_with_many_administrators_is_one_transaction(
    stored: StoredApp, contoso: Issuer, functions: Any
) -> None:
    """Real storage holds a hundred rows in one, and fifteen people need almost all of them."""
    people = [f"p{number}@x.test" for number in range(15)]
    body = BODIES["create_tenant"] | {"id": f"initech-{uuid4().hex}", "administrators": people}

    assert (await Api(functions, contoso)("create_tenant", by="Olga", body=body)).status == 201


async def test_health_is_good_when_tables_and_queue_answer(post: Post) -> None:
    """An empty account is a good one: what is missing is made."""
    reply = await post.api("get_health")

    assert (reply.status, reply.json) == (
        200,
        {"status": "ok", "version": VERSION, "checks": {"tables": "ok", "queue": "ok"}},
    )


async def test_health_is_bad_when_storage_does_not_answer(
    contoso: Issuer, functions: Any, clock: Clock, free_port: Callable[[], int]
) -> None:
    """503, with what does not answer; no credential is needed to ask."""
    nobody = Azurite(*(f"http://127.0.0.1:{free_port()}/devstoreaccount1" for _ in range(3)))
    settings = settings_for(contoso.directory, storage={STORAGE: nobody.connection_string})
    async with aiohttp.ClientSession() as session:
        app = StoredApp(settings, clock=told_by(clock), session=session, queue_name="nobody")
        wiring.install(app)

        reply = await Api(functions, contoso)("get_health")
        await app.client.close()

    assert (reply.status, reply.json["status"], reply.json["checks"]) == (
        503,
        "failed",
        {"tables": "failed", "queue": "failed"},
    )
