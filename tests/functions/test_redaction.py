"""Trouble with others, and defects of ours: whatever they say, lines, exceptions and answers name nobody."""

import io
import json
import logging
import traceback
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import azure.functions as func
import pytest
from aiohttp import web

from shared import wiring
from shared.http.admission import Caller
from shared.http.endpoint import Endpoint, respond
from shared.http.requests import Request
from shared.http.schemas import Nothing
from shared.settings import STORAGE
from shared.storage.client import Client
from shared.storage.connection import connection
from shared.telemetry.defects import Defect
from tests.azurite import Azurite
from tests.faults.proxy import Call, Fault, answer, proxied
from tests.functions.live import Live
from tests.local.mail.endpoint import SENDER

SEEDS = ("Ada Quuxname", "ada.quuxname@contoso.test", "eyJhbGciOiJub25lIn0.eyJvaWQiOiJxdXV4In0.c2ln", "quuxproject")
TEXT = " ".join(SEEDS)
COMPLAINT = {"odata.error": {"code": "X", "message": {"value": TEXT}}}


@pytest.fixture
def told() -> Iterator[io.StringIO]:
    """Listen to everything, as the Functions worker does."""
    stream, root = io.StringIO(), logging.getLogger()
    handler, before = logging.StreamHandler(stream), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


def names_nobody(text: str) -> bool:
    """Tell whether none of the seeds is there."""
    return not any(part.casefold() in text.casefold() for part in ("quux", "ada.q", *SEEDS))


@pytest.fixture
async def refusing() -> AsyncIterator[str]:
    """Run a mail service that refuses every mail, and says to whom it would have gone."""

    async def refuse(request: web.Request) -> web.Response:
        mail = await request.json()
        there = mail["recipients"]["to"][0]["address"]
        complaint = {"code": "InvalidRecipient", "message": f"{there} is not {TEXT}: {mail['content']['plainText']}"}
        return web.json_response({"error": complaint}, status=400)

    application = web.Application()
    application.router.add_post("/emails:send", refuse)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_refused_mail_is_told_by_its_code(live: Live, refusing: str, told: io.StringIO) -> None:
    """The service's words are for the tenant's administrators: on the member and in the audit, as promised (R30)."""
    email = replace(live.app.settings.email, endpoint=refusing, sender_address=SENDER)
    app = replace(live.app, settings=replace(live.app.settings, email=email))
    there = replace(live, app=app)
    tenant = await there.tenant()
    item = {"kind": "user", "email": "quux.bo@partner.test"}
    await there.done("POST", f"tenants/{tenant}/members", {"role": "consumer", "members": [item]}, by="Ada")

    assert await there.work(tenant)
    await app.email.aclose()

    (member,) = await there.items(f"tenants/{tenant}/members?search=quux", by="Ada")
    assert member["invitation"]["delivery"] == "failed"
    assert "mail.refused" in told.getvalue()
    assert "code=InvalidRecipient" in told.getvalue()
    assert names_nobody(told.getvalue())
    assert "You have been added" not in told.getvalue()


async def test_an_issuer_that_cannot_be_asked_is_told_by_its_address(live: Live, told: io.StringIO) -> None:
    """Neither what it answered nor the token that was to be checked."""
    live.fabrikam.answer = lambda _: web.Response(status=418, text=TEXT)
    token = live.token("Fay", name="Quuxname")
    live.fabrikam.rotate()
    fresh = live.token("Fay", name="Quuxname")
    try:
        for each in (token, fresh):
            reply = await live.call("GET", "tenants", token=each)
            assert reply.status in {401, 503}
            assert names_nobody(reply.text)
    finally:
        live.fabrikam.answer = None

    assert "keys.unavailable" in told.getvalue()
    assert names_nobody(told.getvalue())
    assert token.split(".")[1] not in told.getvalue()


@pytest.mark.parametrize(
    "fault",
    [
        Fault(carried_out=False, answer=answer(503, TEXT)),
        Fault(carried_out=False, answer=answer(500, TEXT)),
        Fault(carried_out=False, answer=answer(403, json.dumps(COMPLAINT))),
        Fault(carried_out=False),
    ],
    ids=["busy", "broken", "forbidden", "cut"],
)  # fmt: skip
async def test_storage_in_trouble_is_told_by_its_kind(
    live: Live, azurite: Azurite, told: io.StringIO, fault: Fault
) -> None:
    """Its answers, and the keys of the rows that were asked for, which hold ids and addresses, stay unsaid."""
    there = connection({STORAGE: azurite.connection_string}, STORAGE)

    def fate(_: Call) -> Fault:
        return fault

    async with proxied(there.tables, fate) as proxy:
        client = Client(replace(there, tables=proxy.url))
        app = replace(live.app, client=client)
        failed = ""
        try:
            reply = await live.call(
                "POST", "sign-in", {"product": "integrate"}, token=live.token("Zed", name=SEEDS[0]), app=app
            )
            assert (reply.status, names_nobody(reply.text)) == (503, True)
        except Defect as defect:
            failed = "".join(traceback.format_exception(defect))
        finally:
            await client.close()

    assert "dependency.unavailable" in told.getvalue() or "Rejected at shared/storage/" in failed
    assert names_nobody(told.getvalue())
    assert names_nobody(failed)


async def _fail(_: Request[Nothing, None]) -> str:
    try:
        return {"nobody": ""}[TEXT]
    except LookupError as error:
        raise RuntimeError(f"cannot greet {TEXT}") from error


async def test_a_defect_is_told_by_its_kind_and_place(live: Live, told: io.StringIO) -> None:
    """The host writes what it is given into its logs, traceback and all."""
    wiring.install(live.app)
    broken = Endpoint("broken", "GET", "broken", Caller.ANYONE, _fail)
    request = func.HttpRequest("GET", f"https://loome.test/api/broken?q={SEEDS[1]}", headers={}, body=b"")

    with pytest.raises(Defect) as failure:
        await respond(broken, request)
    logging.getLogger("azure.functions").error("Native invocation failed", exc_info=failure.value)

    assert "function.failed error=RuntimeError<KeyError at=tests/functions/test_redaction.py:" in told.getvalue()
    assert names_nobody(told.getvalue())
    assert names_nobody("".join(traceback.format_exception(failure.value)))
    assert "azure" not in str(failure.value)
