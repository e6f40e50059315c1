"""Signing in while mail goes out: whether the sign-in path waits for what it does not need."""

import asyncio
import time
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

import aiohttp

from benchmarks.crowd import crowd
from benchmarks.figures import Figure, Section, percentile, ratios
from benchmarks.loome import Loome, Person, ask
from benchmarks.stack import WHOLE, World, host
from benchmarks.subjects import Progress, UnexpectedAnswer

_HOOK = "/hooks/entra/token-issuance-start"
_CALLERS = 16
_TAIL = 0.99
_HOOK_SECONDS = 0.9
_NO_MAIL_SECONDS = 1.0
_FIRST_MAIL_SECONDS = 30.0
_TICK = 0.02
_TID = "c0000000-0000-4000-8000-000000000001"
_INTEGRATE = "a0000000-0000-4000-8000-000000000011"
_EXTENSION_APP = "99045fe1-7639-4a75-9d4a-577b6ca3810f"
_HOOKS_AUDIENCE = "a0000000-0000-4000-8000-0000000000a2"
_EXTENSION = "a0000000-0000-4000-8000-000000000021"
_EVENT = "microsoft.graph.authenticationEvent.tokenIssuanceStart"
_CALLOUT = "microsoft.graph.onTokenIssuanceStartCalloutData"
_ABOUT = """\
The time of {what}, sixteen callers at once, while {mails} mails go out, divided by the time while none do. Queue,
timers and HTTP share one process here, which is the worst case: in Azure they have instances of their own. The hook
answers "unknown" when it does not know in time; it did so {unknown} times, the first round included."""


async def while_mail_goes_out(
    session: aiohttp.ClientSession,
    world: World,
    data: Path,
    *,
    rounds: int,
    requests: int,
    mails: int,
    administrators: int,
    progress: Progress,
) -> Section:
    """Measure signing in, quiet and busy, in turns."""
    quiet, busy, sent = [], [], []
    with host(WHOLE, world.ports, data, name="hook") as running:
        app = Loome(session, running, world)
        await app.found(members=administrators, administrators=administrators, progress=progress)
        caller = await Caller.of(app)
        for number in range(rounds + 1):
            progress(f"round {number} of {rounds}: signing in, quiet")
            await _until_sent(app)
            quiet.append(await _sign_ins(caller, requests))
            progress(f"round {number} of {rounds}: signing in, while {mails} mails go out")
            await _call_mailbox(app, "DELETE")
            people = [Person(f"mail{number}-{each}-{app.tenant}@contoso.test", "") for each in range(mails)]
            await app.add("consumer", people, by=number)
            await _until_sending(app)
            busy.append(await _sign_ins(caller, requests))
            sent.append(float(await _count_mails(app)))
        await _until_sent(app)
    del quiet[0], busy[0], sent[0]
    late = [sum(each > _HOOK_SECONDS for each in latencies) / len(latencies) * 100 for latencies in busy]
    return Section(
        "Signing in while mail goes out",
        _ABOUT.format(what=caller.what, mails=mails, unknown=caller.unknown),
        (
            Figure("median", ratios(map(median, busy), map(median, quiet))),
            Figure("99 of 100", ratios((percentile(b, _TAIL) for b in busy), (percentile(q, _TAIL) for q in quiet))),
            Figure("answered after 0.9 s, while mail went out", tuple(late), unit="%"),
            Figure("mails sent meanwhile", tuple(sent), unit="mails"),
        ),
    )


class Caller:
    """The Entra extension, where the app has its hook; otherwise a front end."""

    def __init__(self, app: Loome, token: str | None) -> None:
        self._app = app
        self._token = token
        self.what = "the sign-in hook" if token else "`POST /sign-in`"
        self.unknown = 0
        """How often the hook did not know in time."""

    @classmethod
    async def of(cls, app: Loome) -> "Caller":
        """Look whether there is a hook, and get its caller's token."""
        described = await app.call("GET", "openapi.json")
        if not any(path.endswith(_HOOK) for path in described["paths"]):
            return cls(app, None)
        claims = {"aud": _HOOKS_AUDIENCE, "azp": _EXTENSION_APP, "oid": _EXTENSION_APP}
        return cls(app, await app.token(claims, appOnly=True))

    async def sign_in(self, turn: int) -> None:
        """Sign an administrator in."""
        person = self._app.administrator(turn)
        if not self._token:
            await self._app.sign_in(person, converted=False)
            return
        answer = await self._app.call("POST", _HOOK.lstrip("/"), _event(person), token=self._token)
        claims = answer["data"]["actions"][0]["claims"]
        if claims["loomeStatus"] not in {"active", "unknown"}:
            raise UnexpectedAnswer(f"the hook answered {claims}")
        self.unknown += claims["loomeStatus"] == "unknown"


async def _sign_ins(caller: Caller, requests: int) -> list[float]:
    latencies: list[float] = []

    async def sign_in(turn: int) -> None:
        started = time.perf_counter()
        await caller.sign_in(turn)
        latencies.append(time.perf_counter() - started)

    await crowd(_CALLERS, range(requests), sign_in)
    return latencies


async def _call_mailbox(app: Loome, method: str) -> Any:
    return await ask(app.session, method, f"http://127.0.0.1:{app.world.ports.mail}/messages", None, {})


async def _count_mails(app: Loome) -> int:
    return len(await _call_mailbox(app, "GET"))


async def _until_sending(app: Loome) -> None:
    """Wait for the first mail: the queue is asked every two seconds at the least."""
    async with asyncio.timeout(_FIRST_MAIL_SECONDS):
        while not await _count_mails(app):  # noqa: ASYNC110 - mails arrive in another process
            await asyncio.sleep(_TICK)


async def _until_sent(app: Loome) -> None:
    """Wait until no mail has come for a while."""
    known, now = -1, await _count_mails(app)
    while known != now:
        await asyncio.sleep(_NO_MAIL_SECONDS)
        known, now = now, await _count_mails(app)


def _event(person: Person) -> dict[str, Any]:
    """Say that a token is about to be issued, as Entra does."""
    name = person.address.partition("@")[0]
    application = {"id": _INTEGRATE, "appId": _INTEGRATE, "appDisplayName": "Loome Integrate"}
    context = {
        "correlationId": str(uuid4()),
        "client": {"ip": "203.0.113.7", "locale": "en-au", "market": "en-au"},
        "protocol": "OAUTH2.0",
        "clientServicePrincipal": application,
        "resourceServicePrincipal": application,
        "user": {
            "id": name,
            "displayName": name,
            "mail": person.address,
            "userPrincipalName": person.address,
            "userType": "Member",
        },
    }
    return {
        "type": _EVENT,
        "source": f"/tenants/{_TID}/applications/{_INTEGRATE}",
        "data": {
            "@odata.type": _CALLOUT,
            "tenantId": _TID,
            "authenticationEventListenerId": _EXTENSION,
            "customAuthenticationExtensionId": _EXTENSION,
            "authenticationContext": context,
        },
    }
