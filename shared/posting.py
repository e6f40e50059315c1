"""Invitation mails: sent as fast as the mail account takes them, and what became of each noted on its member (R30)."""

import logging
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from shared.domain import pacing
from shared.domain.change import Actor, Change, Facts
from shared.domain.errors import NotFound
from shared.domain.mailing import Letter, addressee, letter_to, mark_failed, mark_reported, mark_sent
from shared.domain.membership import Member, Ref
from shared.domain.principals import Address
from shared.email.invitation import render
from shared.email.mail import Mail
from shared.email.reports import Report
from shared.email.sender import MailRefused, MailThrottled, MailUnavailable
from shared.storage import tenant_store
from shared.storage.outbox import Claim
from shared.storage.rows import Partition
from shared.storage.tenant_store import Author, Reading, TenantStore, Wanted
from shared.telemetry.scope import step
from shared.wiring import App

LONGEST_PAUSE: Final = 600.0
"""Seconds."""

_MAILS: Final = UUID("5f0c4b7e-5d0b-4d0e-9a53-6f1f0d6a2b11")
_log = logging.getLogger(__name__)


class Later(Exception):
    """No mail may be sent before `due`; `in_vain` says that the mail service was asked."""

    def __init__(self, due: datetime, *, in_vain: bool) -> None:
        super().__init__(f"again at {due.isoformat()}")
        self.due = due
        self.in_vain = in_vain


@dataclass(slots=True)
class _Allowance:
    """How many mails may be begun without asking again, and until when."""

    mails: int = 0
    until: datetime | None = None
    due: datetime | None = None

    def take(self, now: datetime) -> bool:
        """Use one of them up; False when there is none any more."""
        if self.mails == 0 or self.until is None or now > self.until:
            return False
        self.mails -= 1
        return True


@dataclass(slots=True)
class _Round:
    """One work's letters, as they are being sent."""

    app: App
    claim: Claim
    allowance: _Allowance = field(default_factory=_Allowance)

    async def deliver(self, letter: Letter, *, of: int) -> None:
        """Send one letter `of` those that are left, if it still goes to somebody; Later when it has to wait."""
        store = self.app.tenants.at(self.claim.partition)
        reading = await store.read(Wanted(members=frozenset({letter.member})))
        member = addressee(reading.facts, letter)
        if member is None or member.email is None:
            return
        await self._allow(of)
        mail = _mail(reading, member, to=member.email)
        try:
            await self._send(mail, letter)
        except MailRefused as refused:
            await note(store, letter, refused.reason)
        except MailThrottled as throttled:
            due = self.app.clock() + timedelta(seconds=throttled.retry_after)
            await self.app.mail_budget.close(due)
            _log.warning("mail.throttled", extra={"seconds": throttled.retry_after})
            raise Later(due, in_vain=True) from throttled
        except MailUnavailable as unavailable:
            _log.warning("mail.unavailable", extra={"why": str(unavailable)})
            due = self.app.clock() + timedelta(seconds=_pause(self.claim))
            raise Later(due, in_vain=True) from unavailable
        else:
            await note(store, letter)

    async def _send(self, mail: Mail, letter: Letter) -> None:
        name = operation(self.claim.partition, letter)
        told = {"tenant": self.claim.partition.tenant, "member": letter.member, "operation": name}
        with step("mail"):
            try:
                await self.app.email.send(mail, operation_id=name)
            except MailRefused as refused:  # its words may name the address; the member and the audit have them
                _log.warning("mail.refused", extra={**told, "code": refused.code})
                raise
            _log.info("mail.sent", extra=told)

    async def _allow(self, letters: int) -> None:
        """Take a mail out of the account's quota; Later when there is none for this work now."""
        now = self.app.clock()
        if self.allowance.take(now):
            return
        if self.allowance.due is not None:
            raise Later(max(self.allowance.due, now), in_vain=False)
        reserved = await self.app.mail_budget.reserve(str(self.claim.partition), letters, now)
        self.allowance = _Allowance(reserved.granted, now + pacing.GOOD_FOR, reserved.due)
        if not self.allowance.take(now):
            raise Later(reserved.due or now, in_vain=False)


async def send_all(app: App, claim: Claim) -> None:
    """
    Send the letters of an outbox row.

    Neither the quota nor trouble with the mail service counts as a failed message: what is left is put off, and a mail
    waits as long as it must.
    """
    round_ = _Round(app, claim)
    left = claim.work.letters
    while left:
        try:
            await round_.deliver(left[0], of=len(left))
        except Later as later:
            now = app.clock()
            return await app.outbox.postpone(round_.claim, left, due=later.due, now=now, in_vain=later.in_vain)
        left = left[1:]
        renewed = await app.outbox.renew(round_.claim, app.clock()) if left else round_.claim
        if renewed is None:
            return None
        round_.claim = renewed
    return await app.outbox.finish(round_.claim)


async def note(store: TenantStore, letter: Letter, failure: str | None = None) -> None:
    """Store what became of a mail, for whoever looks at the member; nothing when the invitation is gone."""

    def decide(facts: Facts) -> Change[None]:
        return mark_sent(facts, letter) if failure is None else mark_failed(facts, letter, failure)

    author = Author(Actor(Ref("system", "mail", "Mail")), request_id=f"{letter.member}-{letter.round}")
    wanted = Wanted(members=frozenset({letter.member}))
    await tenant_store.change(store, decide, wanted=wanted, author=lambda _: author)


async def note_report(app: App, report: Report) -> None:
    """
    Store what the mail service has told of a mail, on the member whose mail it was.

    A report names the address and the operation. The operation's id is made from tenant, member and round, so whoever
    in the tenants that know the address makes up the same id is the one that is meant.
    """
    for home in await app.index.tenants_of_address(report.recipient):
        store = app.tenants.at(home)
        with suppress(NotFound):  # the tenant was deleted
            known = await store.read(Wanted(addresses=frozenset({report.recipient})))
            member = known.facts.by_address.get(report.recipient)
            letter = letter_to(member) if member else None
            if letter and operation(home, letter) == report.operation:
                return await _note_report(store, letter, report)
    _log.info("report.unknown", extra={"operation": str(report.operation)})
    return None


async def _note_report(store: TenantStore, letter: Letter, report: Report) -> None:
    author = Author(Actor(Ref("system", "mail", "Mail")), request_id=str(report.operation))
    wanted = Wanted(members=frozenset({letter.member}))
    await tenant_store.change(
        store,
        lambda facts: mark_reported(facts, letter, report.failure),
        wanted=wanted,
        author=lambda _: author,
    )


def operation(home: Partition, letter: Letter) -> UUID:
    """Name the sending of a letter: the same name each time, so that the mail service sends it once."""
    return uuid5(_MAILS, f"{home} {letter.member} {letter.round}")


def _mail(reading: Reading, member: Member, *, to: Address) -> Mail:
    tenant = reading.facts.tenant
    return render(
        tenant_name=tenant.name,
        product_name=reading.facts.catalogue.name,
        url=tenant.url,
        to=to,
        invited_by=member.created_by.name,
        locale=tenant.settings.locale,
    )


def _pause(claim: Claim) -> float:
    """Wait twice as long after each attempt in vain, ten minutes at the most."""
    return float(min(LONGEST_PAUSE, 2.0 ** min(claim.work.attempts, 30)))
