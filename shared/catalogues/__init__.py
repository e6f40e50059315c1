"""The products as data: one TOML file each, read and checked together when the first of them is asked for."""

from functools import cache
from pathlib import Path

from shared.domain.catalogue import Catalogue
from shared.domain.principals import ProductId


def catalogue(product: ProductId) -> Catalogue | None:
    """Find a product; None when there is no such product."""
    return next((each for each in products() if each.id == product), None)


@cache
def products() -> tuple[Catalogue, ...]:
    """List the products by id; raise BrokenCatalogue when one of their files makes no sense."""
    from shared.catalogues.reading import read  # noqa: PLC0415 - slow to load, and of no use before the first request

    return read(Path(__file__).parent)
