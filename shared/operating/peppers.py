"""`peppers`: how many API keys still need each pepper, before an old one is taken away."""

from argparse import ArgumentParser, Namespace
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final

from shared.domain.keys import Key
from shared.operating.command import Command
from shared.storage.tenant_store import TenantStore
from shared.wiring import App

_A_PAGE: Final = 100


def _arguments(_: ArgumentParser) -> None:
    """Take none: a pepper is that of all tenants."""


async def _run(app: App, _: Namespace) -> int:
    """Count the keys of all tenants, by the pepper and the tenant; 0 when only the pepper of new keys is needed."""
    current, *others = (pepper.version for pepper in app.settings.peppers)
    needed = defaultdict[str, Counter[str]](Counter)
    for home in await app.tenant_list.homes():
        async for key in _keys(app.tenants.at(home)):
            for version in _needed_by(key, app.clock()):
                needed[version][home.tenant] += 1
    meanings = dict.fromkeys(needed, "not in the settings, so that they open nothing")
    meanings |= {current: "for new keys"} | dict.fromkeys(others, "accepted")
    for version, meaning in sorted(meanings.items()):
        print(f"{version}: {needed[version].total()} keys ({meaning})")
        for tenant, keys in sorted(needed[version].items()):
            print(f"    {tenant}: {keys}")
    return 1 if any(needed[version] for version in meanings if version != current) else 0


def _needed_by(key: Key, now: datetime) -> set[str]:
    """Tell which peppers a key that still opens something was hashed with."""
    return set() if key.is_expired(now) else {each.pepper for each in key.secrets if each.is_current(now)}


async def _keys(store: TenantStore) -> AsyncIterator[Key]:
    after = None
    while True:
        page = await store.keys(limit=_A_PAGE, after=after)
        for member in page.items:
            if member.key:
                yield member.key
        after = page.next
        if after is None:
            return


PEPPERS: Final = Command("peppers", "Count the API keys that each pepper is still needed for.", _arguments, _run)
