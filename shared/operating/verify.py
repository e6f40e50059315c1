"""`verify`: look at what is stored of one tenant or of all, put right what is safe, and say what is left."""

from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator

from shared import upkeep
from shared.domain.principals import TenantId
from shared.operating.command import Command
from shared.storage.rows import Partition
from shared.storage.tenant_list import TenantList
from shared.storage.verifying.invariants import MEANING
from shared.storage.verifying.repairs import Outcome
from shared.storage.verifying.verifier import Report
from shared.wiring import App


def _arguments(words: ArgumentParser) -> None:
    words.add_argument("--tenant", metavar="ID", help="this tenant only; all of them otherwise")
    words.add_argument("--repair", action="store_true", help="put right what is safe to put right")


async def _run(app: App, options: Namespace) -> int:
    tenants = wrong = 0
    async for home in _homes(app, options.tenant):
        report = await app.verifier.verify(home, repair=options.repair)
        if report is None:
            continue
        tenants += 1
        left = [each for each in report.outcomes if not each.is_repaired]
        wrong += len(left)
        _print(report)
    if options.tenant and not tenants:
        print(f"There is no tenant {options.tenant}.")
        return 1
    print(f"{tenants} looked at, {wrong} wrong.")
    return 1 if wrong else 0


async def _homes(app: App, tenant: str | None) -> AsyncIterator[Partition]:
    if tenant is None:
        async for home in upkeep.homes(app):
            yield home
    elif found := await TenantList(app.tables).find(TenantId(tenant)):
        yield found


def _print(report: Report) -> None:
    print(f"{report.home.tenant:<36} {report.members:>7,} members {report.rows:>9,} rows  {_verdict(report)}")
    for outcome in report.outcomes:
        print(f"    {_fate(outcome):<11} {outcome.finding.damage:<19} {outcome.finding.shown}")
        if outcome.finding.detail:
            print(f"    {'':<31} {outcome.finding.detail}")
    for damage in sorted({each.finding.damage for each in report.outcomes}):
        print(f"    {damage}: {MEANING[damage]}")
    if not report.is_complete:
        print("    There is more: run it again when this is put right.")


def _verdict(report: Report) -> str:
    if not report.outcomes:
        return "all is well"
    return f"{len(report.outcomes)} found, {report.repaired} repaired"


def _fate(outcome: Outcome) -> str:
    if outcome.is_repaired:
        return "repaired"
    return "repairable" if outcome.finding.is_repairable else "to look at"


VERIFY = Command("verify", "Look for what must not be in what is stored, and put right what is safe.", _arguments, _run)
