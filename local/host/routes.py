"""Which function answers a request: the real host asks them in alphabetical order of their names."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from local.errors import CannotStart
from local.host.worker import Function

_PARAMETER = re.compile(r"\{(?P<stars>\*{0,2})(?P<name>\w+)(?::(?P<constraint>\w+))?(?P<optional>\?)?\}")
_CONSTRAINTS = {
    "alpha": r"[A-Za-z]+",
    "bool": r"true|false",
    "guid": r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}",
    "int": r"-?\d+",
    "long": r"-?\d+",
}


@dataclass(frozen=True, slots=True)
class Match:
    """The function that answers, and the values of its route's parameters."""

    function: Function
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Route:
    function: Function
    path: re.Pattern[str]
    methods: frozenset[str]


class Routes:
    """The routes of all functions with an HTTP trigger; no methods means all methods."""

    def __init__(self, functions: Iterable[Function], *, prefix: str) -> None:
        callable_over_http = [function for function in functions if function.kind == "httpTrigger"]
        in_order = sorted(callable_over_http, key=lambda function: function.name.lower())
        self._routes = tuple(_route(function, prefix) for function in in_order)

    def match(self, method: str, path: str) -> Match | None:
        """Find the first function that takes this method on this path, case ignored, with or without a final slash."""
        for route in self._routes:
            if route.methods and method not in route.methods:
                continue
            if found := route.path.fullmatch(path.rstrip("/")):
                return Match(route.function, {name: value for name, value in found.groupdict().items() if value})
        return None


def compile_template(template: str) -> re.Pattern[str]:
    """
    Turn a route such as `tenants/{tenant}/files/{*rest}` into a pattern for whole paths.

    Raises CannotStart for a constraint that this host does not know.
    """
    return re.compile("".join(_segment(segment) for segment in template.strip("/").split("/")), re.IGNORECASE)


def _route(function: Function, prefix: str) -> _Route:
    template = function.trigger.get("route") or function.name
    methods = frozenset(method.upper() for method in function.trigger.get("methods") or ())
    return _Route(function, compile_template(f"{prefix}/{template.strip('/')}"), methods)


def _segment(segment: str) -> str:
    whole = _PARAMETER.fullmatch(segment)
    if whole and (whole["stars"] or whole["optional"]):
        return f"(?:/{_parameter(whole)})?"
    literals = map(re.escape, _PARAMETER.split(segment)[:: _PARAMETER.groups + 1])
    parameters = [*map(_parameter, _PARAMETER.finditer(segment)), ""]
    return "/" + "".join(literal + parameter for literal, parameter in zip(literals, parameters, strict=True))


def _parameter(match: re.Match[str]) -> str:
    if match["stars"]:
        return f"(?P<{match['name']}>.*)"
    constraint = match["constraint"]
    if constraint and constraint not in _CONSTRAINTS:
        raise CannotStart(f"The local host does not know the route constraint {constraint!r}.")
    return f"(?P<{match['name']}>{_CONSTRAINTS.get(constraint, '[^/]+')})"
