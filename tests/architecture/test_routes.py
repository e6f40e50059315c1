"""Routes: which function answers must not hang on its name, though the host asks them in alphabetical order."""

import re
from itertools import combinations, zip_longest
from typing import Any

import pytest

from local.host.routes import Routes
from local.host.worker import Function
from shared.http.endpoint import REGISTRY, Endpoint

PARAMETER = re.compile(r"\{\w+\}")


def overlap(one: str, other: str) -> bool:
    """Tell whether some path fits both routes: segment by segment the same, or a parameter."""
    pairs = zip_longest(one.lower().split("/"), other.lower().split("/"))
    return all(a and b and (a == b or PARAMETER.fullmatch(a) or PARAMETER.fullmatch(b)) for a, b in pairs)


def test_overlapping_routes_are_recognised() -> None:
    """The proof below is worth as much as this."""
    assert overlap("tenants/{tenant}/me", "tenants/{tenant}/{thing}")
    assert overlap("tenants/{tenant}/Me", "tenants/{id}/me")
    assert not overlap("tenants/{tenant}/me", "tenants/{tenant}")
    assert not overlap("tenants/{tenant}/me", "tenants/{tenant}/audit")


def test_no_two_routes_of_one_method_overlap() -> None:
    """The first function in alphabetical order would answer, and renaming one would change what a path means."""
    pairs = combinations(REGISTRY.values(), 2)

    assert [(a.name, b.name) for a, b in pairs if a.method == b.method and overlap(a.route, b.route)] == []


@pytest.mark.parametrize("endpoint", REGISTRY.values(), ids=REGISTRY)
def test_a_route_is_made_of_whole_words_and_whole_parameters(endpoint: Endpoint) -> None:
    """Constraints, wildcards and mixtures are read differently by different hosts."""
    segments = endpoint.route.split("/")

    assert all(PARAMETER.fullmatch(each) or re.fullmatch(r"[a-z0-9.-]+", each) for each in segments)


@pytest.mark.parametrize("endpoint", REGISTRY.values(), ids=REGISTRY)
def test_a_path_is_answered_by_the_function_of_its_route(loaded: dict[str, Any], endpoint: Endpoint) -> None:
    """Asked as the host asks, among all functions: also for ids that are words of other routes."""
    routes = Routes([Function(name, name, each["trigger"], {}) for name, each in loaded.items()], prefix="api")
    words = sorted({word for each in REGISTRY.values() for word in each.route.split("/") if "{" not in word})

    answering = {
        match.function.name
        for word in words
        if (match := routes.match(endpoint.method, f"/api/{PARAMETER.sub(word, endpoint.route)}"))
    }

    assert answering == {endpoint.name}
