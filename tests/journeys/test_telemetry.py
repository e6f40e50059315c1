"""What the running functions tell operators: whole chains, and nothing about people, whatever is done to them."""

import json
import re
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from local.host.keys import MASTER
from tests.functions.endpoints import BODIES, ENDPOINTS, HOOKS, path
from tests.journeys.clients import Tenant
from tests.journeys.collector import Collector
from tests.journeys.stack import RunningStack, until
from tests.journeys.world import bearer, done

CHAIN = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
TOLD = {
    "function.failed",
    "mail.sent",
    "ops.probe",
    "outbox.swept",
    "report.failed",
    "request.answered",
    "token.refused",
    "work.claimed",
    "work.failed",
    "work.unreadable",
}
"""What the seeds have gone through, at least."""


def lines(stack: RunningStack, *parts: str) -> list[str]:
    """Find the lines that hold all of some parts."""
    return [line for line in stack.functions.log.splitlines() if all(part in line for part in parts)]


async def test_one_search_finds_request_work_and_mail(stack: RunningStack, collector: Collector) -> None:
    """The trace that a caller has begun goes through the queue, in lines and in spans."""
    tenant = await stack.new_tenant(f"chain-{uuid4().hex[:8]}")
    address = f"bo-{uuid4().hex[:8]}@partner.test"
    body = {"role": "consumer", "members": [{"kind": "user", "email": address}]}
    chain = uuid4().hex
    headers = {
        **bearer(tenant.token),
        "traceparent": f"00-{chain}-{CALLER}-01",
        "X-Request-Id": f"request-{chain[:8]}",
    }

    async with stack.api.http.post(
        f"{stack.functions.url}/api/tenants/{tenant.id}/members", json=body, headers=headers
    ) as answer:
        assert answer.status == 200
    await until(lambda: bool(lines(stack, "mail.sent", chain)), seconds=10)
    await until(lambda: {"add_members", "work", "mail"} <= {each.name for each in of(chain, collector)}, seconds=10)

    events = [re.split(r"[ :]+", line.split(": ", 1)[1])[0] for line in lines(stack, f"trace={chain}")]
    assert events == ["request.answered", "work.claimed", "mail.sent"]
    assert len(lines(stack, f"trace={chain}", f"request=request-{chain[:8]}")) == len(events)
    request, work, mail = (
        next(each for each in of(chain, collector) if each.name == name) for name in ("add_members", "work", "mail")
    )
    assert (request.parent, work.parent, mail.parent) == (CALLER, request.span, work.span)
    assert [name for name, _ in mail.events] == ["mail.sent"]


def of(chain: str, collector: Collector) -> list[Any]:
    """Find the spans of a chain."""
    return [each for each in collector.spans if each.trace == chain]


@pytest.mark.parametrize(
    "given", ["ada@contoso.test", f"00-{'0' * 32}-{CALLER}-01", f"ff-{CHAIN}-{CALLER}-01", "x" * 999]
)
async def test_a_hostile_trace_is_not_repeated(stack: RunningStack, given: str) -> None:
    """Whoever makes one up gets a new chain, and finds nothing of it in the lines."""
    mark = f"hostile-{uuid4().hex}"
    headers = {"traceparent": given, "X-Request-Id": mark}

    async with stack.api.http.post(f"{stack.functions.url}/api/sign-in", headers=headers) as answer:
        assert answer.status == 401

    (line,) = lines(stack, "token.refused", mark) or lines(stack, "request.answered", mark)[:1]
    assert re.search(r" trace=[0-9a-f]{32} ", line)
    assert given[:30] not in line


@dataclass(frozen=True, slots=True)
class Seeds:
    """What must be found nowhere: each is looked for as it is."""

    texts: dict[str, str]

    def found_in(self, told: str) -> list[str]:
        """Name those that are there all the same."""
        return [name for name, text in self.texts.items() if text.casefold() in told.casefold()]


async def test_nothing_personal_is_told_on_any_path(stack: RunningStack, collector: Collector) -> None:
    """Addresses, names, tokens, keys and texts of mails, through every endpoint, every refusal and all work behind."""
    salt = uuid4().hex[:8]
    tenant = await stack.new_tenant(f"seeds-{salt}")
    name, address = f"Quuxnamed{salt}", f"quux-{salt}@partner.test"
    person = await stack.idp.token(claims={"email": address, "preferred_username": address, "name": name})
    near = await stack.idp.token(
        directory="fabrikam",
        claims={"email": f"near-{salt}@partner.test", "preferred_username": f"n-{salt}", "name": f"Nearmiss{salt}"},
    )
    key = await done(tenant, "POST", "api-keys", {"description": f"Keynamed{salt}"})
    project = (await done(tenant, "POST", "projects", {"name": f"Projectnamed{salt}"}))["id"]
    seeds = Seeds({
        "name": name,
        "address": address,
        "near miss": f"near-{salt}",
        "near miss's name": f"Nearmiss{salt}",
        "key's name": f"Keynamed{salt}",
        "project's name": f"Projectnamed{salt}",
        "secret": key["secret"],
        "half a secret": key["secret"][-40:],
        "token": person,
        "payload of a token": person.split(".")[1],
        "administrator's token": tenant.token.split(".")[1],
        "administrator": f"root-of-{tenant.id}@",
        "administrator's name": f"Root of {tenant.id}",
        "mail": "You have been added to",
        "garbage": f"garbage{salt}",
        "password": "local-b2c-password",
        "any address": "@partner.test",
        "any address of the directory": "@contoso.test",
    })  # fmt: skip
    await tenant.add(f"{address};near-{salt}@partner.test;garbage{salt}")
    for token in (person, near):
        await stack.api.call("POST", "sign-in", {"product": "integrate"}, token=token)
    member = (await tenant.call("GET", "members")).body["items"][0]["id"]
    ids = {"tenant": tenant.id, "member": member, "project": project, "key": key["id"]}

    asked = await call_everything(
        stack, tenant, ids, [person, near, key["secret"], f"{person}x", f"garbage{salt}"], seeds
    )
    await run_everything(stack, seeds)
    await stack.quiet(tenant.id, seconds=20)
    await until(lambda: len(lines(stack, "function.failed", "function=work_off")) >= 1, seconds=10)
    await until(lambda: any(each.name == "probe_queues" for each in collector.spans), seconds=10)

    assert asked > len(ENDPOINTS) * 8
    log = stack.functions.log
    assert set(re.findall(r"[a-z-]+\.[a-z-]+(?= )", log)) >= TOLD
    assert seeds.found_in(log) == []
    assert seeds.found_in(b"\n".join(collector.bodies).decode("latin-1")) == []


async def call_everything(
    stack: RunningStack, tenant: Tenant, ids: dict[str, str], credentials: list[str], seeds: Seeds
) -> int:
    """Call every endpoint, well and badly, as everybody; deletions come last."""
    calls = 0
    everybody = [bearer(tenant.token), *map(bearer, credentials), {"X-Api-Key": credentials[2]}, {}]
    text = " ".join(seeds.texts.values())[:1000]
    bad: list[dict[str, Any]] = [
        {"json": {text: text}},
        {"data": f"garbage {text}".encode()},
        {"json": {"members": [{"kind": "user", "email": seeds.texts["address"], "displayName": seeds.texts["name"]}]}},
    ]
    order = sorted([*ENDPOINTS, *HOOKS], key=lambda each: each.method == "DELETE")
    for endpoint in order:
        route = endpoint.route
        for name, value in path(endpoint, ids).items():
            route = route.replace(f"{{{name}}}", str(value))
        good = {"json": BODIES[endpoint.name]} if endpoint.name in BODIES else {}
        query = {"search": seeds.texts["name"], "email": seeds.texts["address"], "cursor": text[:200]}
        requests = [good, *({**each, "params": query} for each in (bad if endpoint.body else [{}]))]
        for headers in everybody:
            sent = {**headers, "traceparent": text[:200], "X-Request-Id": text[:100], "Idempotency-Key": text[:60]}
            for more in requests:
                if endpoint.name in {"delete_tenant", "remove_member", "delete_api_key"} and headers is everybody[0]:
                    continue
                async with stack.api.http.request(
                    endpoint.method, f"{stack.functions.url}/api/{route}", headers=sent, **more
                ) as answer:
                    await answer.read()
                    assert answer.status < 500 or answer.status == 503, f"{endpoint.name} {answer.status}"
                calls += 1
    return calls


async def run_everything(stack: RunningStack, seeds: Seeds) -> None:
    """Run what no caller starts: with messages that hold what must not be told, and with none."""
    text = " ".join(seeds.texts.values())[:1000]
    report = {"eventType": "Microsoft.Communication.EmailDeliveryReportReceived"}
    data = {"recipient": seeds.texts["address"], "status": "Failed", "messageId": str(uuid4())}
    messages = {
        "work_off": ["", text, json.dumps({"v": 1, "tenant": text, "outboxIds": [text], "traceparent": text}),
                     json.dumps({"v": 1, "tenant": f"a!{text}", "outboxIds": [text]})],
        "give_up_work": [text, json.dumps({"v": 1, "tenant": "no!more", "outboxIds": ["gone"], "requestId": text})],
        "note_mail_report": [text, json.dumps({**report, "data": data}), json.dumps({**report, "data": {"x": text}})],
        "give_up_mail_report": [text, json.dumps({**report, "data": data})],
        "sweep_outbox": [""],
        "probe_queues": [""],
        "export_tenants": [""],
    }  # fmt: skip
    for function, inputs in messages.items():
        for each in inputs:
            async with stack.api.http.post(
                f"{stack.functions.url}/admin/functions/{function}",
                json={"input": each},
                headers={"x-functions-key": MASTER},
            ) as answer:
                assert answer.status == 202
