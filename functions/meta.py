"""The app itself: whether it can work."""

from shared.health import check
from shared.http import answers
from shared.http.endpoint import Answer, Caller, Functions
from shared.http.requests import Request
from shared.http.schemas import Nothing

functions = Functions()


@functions.endpoint("GET", "health", requires=Caller.ANYONE)
async def get_health(request: Request[Nothing, None]) -> Answer:
    """Tell whether tables and queue answer."""
    return answers.health(await check(request.app))
