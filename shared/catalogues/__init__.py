"""The products as data: one TOML file each, read and checked together when the first of them is asked for."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared.catalogues.complaints import about_contents, about_shape
from shared.catalogues.schema import KEBAB, Product
from shared.domain.catalogue import Catalogue
from shared.domain.principals import ProductId


class BrokenCatalogue(ValueError):
    """A file does not describe a product: one sentence says which file, which key in it, and why."""


def catalogue(product: ProductId) -> Catalogue | None:
    """Find a product; None when there is no such product."""
    return next((each for each in products() if each.id == product), None)


@cache
def products() -> tuple[Catalogue, ...]:
    """List the products by id; raise BrokenCatalogue when one of their files makes no sense."""
    return read(Path(__file__).parent)


def read(folder: Path) -> tuple[Catalogue, ...]:
    """Read every `<product id>.toml` of a folder, by id; raise BrokenCatalogue for the first that makes no sense."""
    files = sorted(folder.glob("*.toml"), key=lambda file: file.stem)
    if not files:
        raise BrokenCatalogue(f"{folder}: there is no catalogue here")
    return tuple(_read_product(file) for file in files)


def _read_product(file: Path) -> Catalogue:
    if not re.fullmatch(KEBAB, file.stem):
        raise BrokenCatalogue(f"{file.name}: the file is not named for a product id in kebab case")

    product = _parse(file.name, _toml(file))
    complaint = next(about_contents(product), None)
    if complaint:
        raise BrokenCatalogue(f"{file.name}: {complaint}")
    return product.catalogue(ProductId(file.stem))


def _toml(file: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - of no use before the first request

    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BrokenCatalogue(f"{file.name}: this is not TOML: {error}") from error


def _parse(name: str, contents: dict[str, Any]) -> Product:
    try:
        return Product.model_validate(contents)
    except ValidationError as error:
        raise BrokenCatalogue(f"{name}: {about_shape(error)}") from error
