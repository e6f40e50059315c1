"""The app itself: whether it can work."""

from http import HTTPStatus

from shared.health import check
from shared.http import answers
from shared.http.endpoint import Answer, Caller, Functions
from shared.http.requests import Request
from shared.http.schemas import HealthOut, Nothing

functions = Functions()


@functions.endpoint("GET", "health", requires=Caller.ANYONE, also=(HTTPStatus.SERVICE_UNAVAILABLE,))
async def get_health(request: Request[Nothing, None]) -> Answer[HealthOut]:
    """Tell whether tables and queue answer."""
    return answers.health(await check(request.app))
