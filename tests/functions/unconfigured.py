"""
Call every function of an app that has only its environment: `python -m tests.functions.unconfigured`.

A process of its own, because an app is made once a process. Prints status, body and `Retry-After` of each as JSON.
"""

import asyncio
import json

import azure.functions as func

from shared.http.endpoint import Endpoint
from tests.functions.described import APP
from tests.functions.endpoints import BODIES, ENDPOINTS, path


async def main() -> None:
    """Call them one after the other, as somebody with a token that looks like one."""
    functions = {each.get_function_name(): each.get_user_function() for each in APP.get_functions()}
    told = {}
    for endpoint in ENDPOINTS:
        response = await functions[endpoint.name](_request(endpoint))
        told[endpoint.name] = [response.status_code, response.get_body().decode(), response.headers.get("Retry-After")]
    print(json.dumps(told))  # noqa: T201 - the answer


def _request(endpoint: Endpoint) -> func.HttpRequest:
    return func.HttpRequest(
        endpoint.method,
        f"https://loome.test/api/{endpoint.route}",
        headers={"Authorization": "Bearer e30.e30.AAAA"},
        route_params=path(endpoint),
        body=json.dumps(BODIES.get(endpoint.name)).encode(),
    )


if __name__ == "__main__":
    asyncio.run(main())
