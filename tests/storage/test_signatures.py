"""Tokens of an identity: asked for when needed, kept while good, sent over https only."""

import asyncio
from time import time
from typing import Self

import pytest
from azure.core.credentials import AccessTokenInfo
from azure.core.exceptions import ClientAuthenticationError

from shared.storage.errors import StorageUnavailable
from shared.storage.exchange import Request
from shared.storage.signatures import SCOPE, BearerToken, SharedSignature

REQUEST = Request("GET", "https://members.table.test/access", {"Accept": "application/json"})


class Platform:
    """In place of azure-identity: gives a numbered token that lasts so many seconds, after a moment."""

    def __init__(self, *, lasts: float = 3600, renewed_after: float | None = None) -> None:
        self.asked = 0
        self.closed = False
        self.is_there = True
        self._lasts = lasts
        self._renewed_after = renewed_after

    async def get_token_info(self, *scopes: str, options: object = None) -> AccessTokenInfo:  # noqa: ARG002 - as azure-identity has it
        """Give a token for storage."""
        assert scopes == (SCOPE,)
        await asyncio.sleep(0)
        if not self.is_there:
            raise ClientAuthenticationError("no identity")
        self.asked += 1
        ends, renewed = (int(time() + after) if after else None for after in (self._lasts, self._renewed_after))
        return AccessTokenInfo(f"token {self.asked}", ends or 0, refresh_on=renewed)

    async def close(self) -> None:
        """Note that nobody will ask again."""
        self.closed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def test_many_requests_at_once_ask_for_one_token() -> None:
    """The platform turns away whoever asks too often."""
    platform = Platform()
    signature = BearerToken(platform)

    signed = await asyncio.gather(*(signature.sign(REQUEST) for _ in range(20)))

    assert {each.headers["Authorization"] for each in signed} == {"Bearer token 1"}
    assert {each.headers["Accept"] for each in signed} == {"application/json"}
    assert platform.asked == 1


@pytest.mark.parametrize(("lasts", "renewed_after", "asked"), [(299, None, 2), (3600, -1, 2), (310, 60, 1)])
async def test_a_token_is_renewed_before_it_ends(lasts: float, renewed_after: float | None, asked: int) -> None:
    """Five minutes before the end, or when the platform says so."""
    platform = Platform(lasts=lasts, renewed_after=renewed_after)
    signature = BearerToken(platform)

    first, second = await signature.sign(REQUEST), await signature.sign(REQUEST)

    assert first.headers["Authorization"] == "Bearer token 1"
    assert second.headers["Authorization"] == f"Bearer token {asked}"


async def test_without_a_token_nothing_is_sent_and_the_next_request_asks_again() -> None:
    """An identity that is not there yet is an outage, and a commit has certainly not been carried out."""
    platform = Platform()
    platform.is_there = False
    signature = BearerToken(platform)

    with pytest.raises(StorageUnavailable, match=r"ClientAuthenticationError$") as unavailable:
        await signature.sign(REQUEST)
    platform.is_there = True

    assert not unavailable.value.perhaps_done
    assert (await signature.sign(REQUEST)).headers["Authorization"] == "Bearer token 1"


async def test_a_token_is_not_sent_where_others_can_read_it() -> None:
    """Whatever the settings say."""
    platform = Platform()

    with pytest.raises(ValueError, match="https"):
        await BearerToken(platform).sign(REQUEST._replace(url="http://members.table.test/access"))

    assert platform.asked == 0


async def test_closing_closes_the_way_to_the_platform() -> None:
    """Nothing stays open."""
    platform = Platform()

    await BearerToken(platform).close()

    assert platform.closed


@pytest.mark.parametrize(("url", "signed"), [("https://a.test/t", "?sig=x"), ("https://a.test/t?$top=1", "&sig=x")])
async def test_a_signature_ends_the_address(url: str, signed: str) -> None:
    """With or without other parameters before it."""
    assert (await SharedSignature("sig=x").sign(REQUEST._replace(url=url))).url == url + signed
