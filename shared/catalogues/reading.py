"""Read catalogue files, and say in one sentence what is wrong with one that makes no sense."""

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared.catalogues.complaints import about_contents, about_shape
from shared.catalogues.schema import KEBAB, Product
from shared.domain.catalogue import Catalogue
from shared.domain.principals import ProductId


class BrokenCatalogue(ValueError):
    """A file does not describe a product: one sentence says which file, which key in it, and why."""


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
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BrokenCatalogue(f"{file.name}: this is not TOML: {error}") from error


def _parse(name: str, contents: dict[str, Any]) -> Product:
    try:
        return Product.model_validate(contents)
    except ValidationError as error:
        raise BrokenCatalogue(f"{name}: {about_shape(error)}") from error
