"""Demo tenants, made over HTTP as an operator and a first administrator would make them: `python -m local.seed`."""

import json
import sys
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from local.errors import CannotStart
from local.supervisor.ports import Ports

_SECONDS = 20
_OPERATOR = {"directory": "contoso", "claims": {"roles": ["Operator"]}}


@dataclass(frozen=True, slots=True)
class Demo:
    """A tenant and its first administrator, one of the people whom the identity provider knows."""

    product: str
    tenant: str
    name: str
    person: str = "ada"
    address: str = "ada@contoso.test"


DEMOS = (
    Demo("integrate", "demo-integrate", "Demo Integrate"),
    Demo("integrate-classic", "demo-classic", "Demo Integrate Classic"),
    Demo("assist", "demo-assist", "Demo Assist"),
    Demo("portal", "demo-portal", "Demo Portal"),
    Demo("monitor", "demo-monitor", "Demo Monitor"),
)


class SeedFailed(Exception):
    """A demo tenant could not be made; the message holds the answer."""


def seed(ports: Ports) -> None:
    """Make the demo tenants that are not there yet and sign their administrators in; raise SeedFailed otherwise."""
    api = f"http://127.0.0.1:{ports.api}/api"
    tokens = f"http://127.0.0.1:{ports.idp}/dev/token"
    operator = _token(tokens, _OPERATOR)
    for demo in DEMOS:
        tenant = {
            "id": demo.tenant,
            "product": demo.product,
            "name": demo.name,
            "url": f"https://{demo.tenant}.loome.test",
            "administrators": [demo.address],
        }
        _post(f"{api}/tenants", tenant, operator, also_fine="already-exists")
        person = _token(tokens, {"directory": "contoso", "person": demo.person})
        _post(f"{api}/sign-in", {"product": demo.product}, person)


def main() -> int:
    """Seed the stack that runs on the ports of the environment."""
    try:
        seed(Ports.from_environment())
    except (SeedFailed, CannotStart) as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


def _token(url: str, wanted: dict[str, Any]) -> str:
    return str(_post(url, wanted)["access_token"])


def _post(url: str, body: dict[str, Any], token: str = "", *, also_fine: str = "") -> Any:
    """Send JSON and answer JSON; a refusal is raised unless its code is `also_fine`."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = Request(url, data=json.dumps(body).encode(), headers=headers)  # noqa: S310 - loopback
    try:
        with urlopen(request, timeout=_SECONDS) as response:  # noqa: S310 - loopback
            return json.load(response)
    except HTTPError as refusal:
        text = refusal.read().decode(errors="replace")
        if refusal.code == HTTPStatus.CONFLICT and also_fine and json.loads(text).get("code") == also_fine:
            return None
        raise SeedFailed(f"Seeding failed: POST {url} answered {refusal.code}. {text}") from refusal
    except URLError as error:
        raise SeedFailed(f"Seeding failed: {url} cannot be reached ({error.reason}).") from error


if __name__ == "__main__":
    sys.exit(main())
