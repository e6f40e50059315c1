"""What the mail service tells later: whether a mail has arrived."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import azure.functions as func
import pytest

from shared import posting, wiring
from shared.domain.mailing import Letter
from shared.domain.principals import MemberId
from shared.telemetry.defects import Defect
from tests.functions.app import Function
from tests.functions.live import Live
from tests.local.mail.endpoint import Endpoint

KIND = "Microsoft.Communication.EmailDeliveryReportReceived"


@dataclass(frozen=True)
class Bo:
    """Bo, invited to a tenant: what the mail service tells of his mail, and what administrators see."""

    live: Live
    take: Callable[[func.QueueMessage], Awaitable[None]]
    tenant: str
    member: str

    async def data(self, status: str = "Delivered", *, round_: int = 1, **changes: Any) -> dict[str, Any]:
        """Spell what a report says."""
        home = (await self.live.store(self.tenant)).partition
        operation = posting.operation(home, Letter(MemberId(self.member), round_))
        return {
            "sender": "DoNotReply@loome.test",
            "recipient": self.live.email("Bo"),
            "messageId": str(operation),
            "status": status,
            "deliveryStatusDetails": {"statusMessage": "550 5.1.1 <bo@contoso.test>: unknown"},
            "deliveryAttemptTimeStamp": "2026-11-22T00:00:00.1234567+00:00",
            **changes,
        }

    async def told(self, status: str = "Delivered", *, round_: int = 1, **changes: Any) -> None:
        """Tell it, in Event Grid's schema."""
        data = await self.data(status, round_=round_, **changes)
        await self.hear({"eventType": KIND, "dataVersion": "1.0", "data": data})

    async def hear(self, message: object) -> None:
        """Hand a message of the queue to the function."""
        text = message if isinstance(message, str) else json.dumps(message)
        wiring.install(self.live.app)
        await self.take(func.QueueMessage(body=text))

    async def shown(self) -> tuple[str, str | None]:
        """Tell what administrators see of the mail."""
        member = await self.live.done("GET", f"tenants/{self.tenant}/members/{self.member}", by="Ada")
        return member["invitation"]["delivery"], member["invitation"]["reason"]

    async def recorded(self) -> list[str]:
        """List what the audit says of him, oldest first."""
        records = await self.live.items(f"tenants/{self.tenant}/audit?member={self.member}", by="Ada")
        return [record["action"] for record in reversed(records)]


async def invited(live: Live, functions: Mapping[str, Function]) -> Bo:
    """Invite Bo to one more tenant."""
    tenant = await live.tenant()
    body = {"role": "consumer", "members": [{"kind": "user", "email": live.email("Bo")}]}
    answer = await live.done("POST", f"tenants/{tenant}/members", body, by="Ada")
    return Bo(live, functions["note_mail_report"], tenant, answer["results"][0]["member"]["id"])


@pytest.fixture
async def bo(live: Live, functions: Mapping[str, Function]) -> Bo:
    """Invite Bo, and send him his mail."""
    bo = await invited(live, functions)
    await live.work(bo.tenant)
    return bo


async def test_a_mail_that_has_arrived_is_delivered(bo: Bo) -> None:
    """First sent, then delivered; telling it twice changes nothing (R30)."""
    assert await bo.shown() == ("sent", None)

    await bo.told()
    await bo.told()

    assert await bo.shown() == ("delivered", None)
    assert await bo.recorded() == ["member.invited", "mail.sent", "mail.delivered"]


FAILURES = {
    "Bounced": "bounced",
    "Failed": "not-delivered",
    "Quarantined": "quarantined",
    "FilteredSpam": "filtered-as-spam",
    "Suppressed": "suppressed",
}


@pytest.mark.parametrize(("status", "reason"), FAILURES.items())
async def test_a_mail_that_did_not_arrive_has_failed_with_a_short_reason(bo: Bo, status: str, reason: str) -> None:
    """And is found among those that failed; nothing that the other server has said is stored (R30)."""
    await bo.told(status)

    assert await bo.shown() == ("failed", reason)
    failed = await bo.live.items(f"tenants/{bo.tenant}/members?delivery=failed", by="Ada")
    assert [each["id"] for each in failed] == [bo.member]
    assert await bo.recorded() == ["member.invited", "mail.sent", "mail.failed"]


async def test_a_mail_to_a_list_has_arrived_when_it_has_come_to_the_list(bo: Bo) -> None:
    """The service tells no more of it."""
    await bo.told("Expanded")

    assert await bo.shown() == ("delivered", None)


async def test_both_schemas_are_understood_alone_and_in_a_list(bo: Bo) -> None:
    """An operator chooses when subscribing."""
    event = {"specversion": "1.0", "type": KIND, "source": "/x", "id": "1", "data": await bo.data("Bounced")}

    await bo.hear([{"eventType": "Microsoft.Other", "data": {}}, event])

    assert await bo.shown() == ("failed", "bounced")


async def test_a_report_that_comes_first_counts(
    live: Live, functions: Mapping[str, Function], mailbox: Endpoint
) -> None:
    """Somebody has crashed after handing the mail in: it is known to be out, and does not go out again."""
    bo = await invited(live, functions)

    await bo.told()
    await live.work(bo.tenant)

    assert await bo.shown() == ("delivered", None)
    assert [mail for mail in await mailbox.messages() if mail["to"] == live.email("Bo")] == []


async def test_a_failure_is_the_last_word(bo: Bo) -> None:
    """Servers take mails and send them back later, and reports come in any order."""
    await bo.told()
    await bo.told("Bounced")
    await bo.told()

    assert await bo.shown() == ("failed", "bounced")


async def test_a_report_of_an_earlier_mail_says_nothing_of_the_later_one(bo: Bo) -> None:
    """Another one was asked for (R9)."""
    await bo.live.done("POST", f"tenants/{bo.tenant}/members/{bo.member}/invitation", by="Ada")

    await bo.told("Bounced", round_=1)
    assert await bo.shown() == ("queued", None)

    await bo.live.work(bo.tenant)
    await bo.told(round_=2)
    assert await bo.shown() == ("delivered", None)


async def test_a_failure_after_signing_in_changes_nothing(bo: Bo) -> None:
    """Whoever is in needs no mail (R12)."""
    await bo.live.sign_in("Bo")

    await bo.told("Bounced")

    member = await bo.live.done("GET", f"tenants/{bo.tenant}/members/{bo.member}", by="Ada")
    assert (member["status"], member["invitation"]) == ("active", None)
    assert "mail.failed" not in await bo.recorded()


async def test_a_report_about_somebody_who_was_removed_is_ignored(bo: Bo, caplog: pytest.LogCaptureFixture) -> None:
    """Also when the address was invited again since: that is another mail."""
    await bo.live.done("DELETE", f"tenants/{bo.tenant}/members/{bo.member}", by="Ada")
    body = {"role": "consumer", "members": [{"kind": "user", "email": bo.live.email("Bo")}]}
    again = await bo.live.done("POST", f"tenants/{bo.tenant}/members", body, by="Ada")
    caplog.set_level(logging.INFO)

    await bo.told("Bounced")

    assert again["results"][0]["member"]["invitation"]["delivery"] == "queued"
    failed = await bo.live.items(f"tenants/{bo.tenant}/members?delivery=failed", by="Ada")
    assert failed == []
    assert "report.unknown" in {record.message for record in caplog.records}


async def test_of_several_tenants_the_one_that_has_sent_it_is_meant(
    bo: Bo, live: Live, functions: Mapping[str, Function]
) -> None:
    """Both have invited the same address."""
    other = await invited(live, functions)
    await live.work(other.tenant)

    await other.told("Bounced")

    assert await bo.shown() == ("sent", None)
    assert await other.shown() == ("failed", "bounced")


async def test_a_report_of_a_deleted_tenant_is_ignored(bo: Bo) -> None:
    """Its rows are being cleared away."""
    data = await bo.data()
    await bo.live.done("DELETE", f"tenants/{bo.tenant}", by="Olga")

    await bo.hear({"eventType": KIND, "data": data})

    assert (await bo.live.call("GET", f"tenants/{bo.tenant}", by="Ada")).status == 404


STRANGE = {
    "another operation": {"messageId": str(uuid4())},
    "another address": {"recipient": "nobody@contoso.test"},
    "on its way": {"status": "OutForDelivery"},
}


@pytest.mark.parametrize("changes", STRANGE.values(), ids=STRANGE)
async def test_a_report_of_nothing_known_changes_nothing(bo: Bo, changes: dict[str, Any]) -> None:
    """The account may send other mails as well."""
    await bo.told(**changes)

    assert await bo.shown() == ("sent", None)


async def test_the_address_may_be_spelt_in_another_way(bo: Bo) -> None:
    """The receiving side likes capitals."""
    await bo.told(recipient=bo.live.email("Bo").upper())

    assert await bo.shown() == ("delivered", None)


BROKEN = {
    "empty": "",
    "no event": "{}",
    "text": '"ada@contoso.test"',
    "no data": json.dumps({"eventType": KIND}),
    "no id": json.dumps({"eventType": KIND, "data": {"status": "Delivered", "recipient": "ada@contoso.test"}}),
    "bad id": json.dumps(
        {"eventType": KIND, "data": {"status": "Delivered", "recipient": "ada@contoso.test", "messageId": "ada@x.test"}}
    ),
    "bad address": json.dumps(
        {"eventType": KIND, "data": {"status": "Delivered", "recipient": "ada@@x", "messageId": str(uuid4())}}
    ),
}


@pytest.mark.parametrize("message", BROKEN.values(), ids=BROKEN)
async def test_a_message_that_cannot_be_read_fails_and_names_nobody(
    bo: Bo, functions: Mapping[str, Function], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It ends in the poison queue, where it is logged and nothing else; what it says is not repeated."""
    with pytest.raises(Defect, match=r"^ValueError at shared/email/reports.py:\d+") as failure:
        await bo.hear(message)
    await functions["give_up_mail_report"](func.QueueMessage(body=message))

    assert failure.value.__cause__ is None
    failed = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert failed == ["function.failed", "report.failed"]
    assert "@" not in caplog.text


async def test_a_report_that_could_not_be_stored_is_logged_with_its_operation(
    bo: Bo, functions: Mapping[str, Function], caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody may look for it with the mail service; no address is logged."""
    data = await bo.data()

    await functions["give_up_mail_report"](func.QueueMessage(body=json.dumps({"eventType": KIND, "data": data})))

    (record,) = [record for record in caplog.records if record.message == "report.failed"]
    assert vars(record)["operations"] == [data["messageId"]]
    assert await bo.shown() == ("sent", None)
