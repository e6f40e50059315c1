import json

from tests.local.mail.endpoint import SENDER, Endpoint, mail


async def test_messages_are_listed_newest_first(endpoint: Endpoint) -> None:
    """With the fields that the contract of the local stack fixes."""
    await endpoint.submit(mail("ada@contoso.test"))
    await endpoint.submit(mail("bo@contoso.test"))

    newest, oldest = await endpoint.messages()

    assert (newest["to"], oldest["to"]) == ("bo@contoso.test", "ada@contoso.test")
    assert newest.keys() == {"id", "to", "from", "subject", "text", "html", "receivedAt"}
    assert (newest["from"], newest["subject"]) == (SENDER, "Hello")
    assert newest["receivedAt"].endswith("Z")
    assert newest["receivedAt"] >= oldest["receivedAt"]


async def test_messages_can_be_narrowed(endpoint: Endpoint) -> None:
    """To one recipient, and to the newest few."""
    for to in ("ada@contoso.test", "bo@contoso.test", "ada@contoso.test"):
        await endpoint.submit(mail(to))

    to_ada = (await endpoint.call("GET", "/messages?to=ADA@contoso.test")).body
    newest = await endpoint.call("GET", "/messages?limit=1")

    assert len(to_ada) == 2
    assert len(newest.body) == 1
    assert newest.headers["X-Total-Count"] == "3"


async def test_a_limit_is_a_number(endpoint: Endpoint) -> None:
    """Anything else is said to be wrong."""
    assert (await endpoint.call("GET", "/messages?limit=few")).status == 400


async def test_messages_can_be_deleted(endpoint: Endpoint) -> None:
    """A test starts with an empty mailbox."""
    await endpoint.submit(mail())

    answer = await endpoint.call("DELETE", "/messages")

    assert answer.status == 204
    assert await endpoint.messages() == []


async def test_an_order_can_be_read_back(endpoint: Endpoint) -> None:
    """The page shows it."""
    await endpoint.order("throttle", count=3, perHour=9)

    order = (await endpoint.call("GET", "/behaviour")).body

    assert order == {"mode": "throttle", "count": 3, "perMinute": None, "perHour": 9}


async def test_a_new_order_replaces_the_old_one(endpoint: Endpoint) -> None:
    """Quotas included: `ok` alone is back to normal."""
    await endpoint.order("ok", perMinute=1)
    await endpoint.order("ok")

    assert [(await endpoint.submit(mail())).status for _ in range(3)] == [202] * 3


async def test_a_wrong_order_changes_nothing(endpoint: Endpoint) -> None:
    """It is answered with what is wrong."""
    for wrong in (b"{", json.dumps({"mode": "sulk"}).encode()):
        answer = await endpoint.call("PUT", "/behaviour", data=wrong)

        assert answer.status == 400
        assert answer.body["error"]

    assert (await endpoint.call("GET", "/behaviour")).body["mode"] == "ok"


async def test_the_page_needs_nothing_from_elsewhere(endpoint: Endpoint) -> None:
    """It works offline, and a mail shown in it can neither load nor run anything."""
    page = await endpoint.call("GET", "/")

    assert page.status == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for file in ("/", "/inbox.css", "/inbox.js", "/icon.svg"):
        text = (await endpoint.call("GET", file)).body.replace("http://www.w3.org/2000/svg", "")
        assert "//" not in text.replace("// ", "").replace("/** ", "")
