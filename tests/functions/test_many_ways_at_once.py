"""One person, heard of in every way at once: an invitation turns active exactly once (R10)."""

import asyncio
from itertools import cycle, islice

from tests.functions.hooks.entra import claims_in
from tests.functions.live import Live
from tests.functions.ways import WAYS, Visitor, by_a_first_call, entra_tells

MANY = 200


async def test_two_hundred_sign_ins_convert_once(live: Live) -> None:
    """One record and one member; whoever asks by themselves is told so, and a hook says no less than `unknown`."""
    tenant = await live.tenant()
    item = {"kind": "user", "email": live.email("Bo")}
    await live.done("POST", f"tenants/{tenant}/members", {"role": "consumer", "members": [item]}, by="Ada")
    bo = Visitor(live.contoso, live.object_id("Bo"), live.email("Bo"))
    names = list(islice(cycle(WAYS), MANY))

    told = await asyncio.gather(*(WAYS[name](live, bo, tenant) for name in names))

    in_time = {"front end", "first call"}
    assert all(is_in for name, is_in in zip(names, told, strict=True) if name in in_time)
    records = await live.items(f"tenants/{tenant}/audit?action=invitation.converted", by="Ada")
    assert sorted(record["target"]["name"] for record in records) == ["Ada", bo.object_id]
    assert len(await live.items(f"tenants/{tenant}/members", by="Ada")) == 2
    assert claims_in(await entra_tells(live, bo))["loomeRoles"] == [f"{tenant}:consumer"]


async def test_a_page_that_asks_for_ten_things_gets_all_of_them(live: Live) -> None:
    """Front ends do not wait for the first answer; nobody is a stranger while they are being let in."""
    for _ in range(5):
        tenant = await live.tenant()
        item = {"kind": "user", "email": live.email("Bo")}
        await live.done("POST", f"tenants/{tenant}/members", {"role": "consumer", "members": [item]}, by="Ada")
        bo = Visitor(live.contoso, live.object_id("Bo"), live.email("Bo"))

        assert all(await asyncio.gather(*(by_a_first_call(live, bo, tenant) for _ in range(10))))
