"""Datums, the worker library's own wrapping of every value that goes into a function or comes out of it."""

import json

from azure_functions_runtime.bindings.datumdef import Datum

__all__ = ["Datum", "bytes_datum", "json_datum", "text_datum"]


def text_datum(text: str) -> Datum:
    """Wrap text."""
    return Datum(text, "string")


def bytes_datum(content: bytes) -> Datum:
    """Wrap bytes."""
    return Datum(content, "bytes")


def json_datum(value: object) -> Datum:
    """Wrap anything that JSON can say."""
    return Datum(json.dumps(value), "json")
