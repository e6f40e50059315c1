"""The app itself: whether it can work, what it can be asked, and a page to read and try that."""

from http import HTTPStatus

from shared.health import check
from shared.http import answers
from shared.http.admission import Caller
from shared.http.endpoint import Answer, Functions
from shared.http.requests import Request
from shared.http.schemas import HealthOut, Nothing

functions = Functions()


@functions.endpoint("GET", "health", requires=Caller.ANYONE, also=(HTTPStatus.SERVICE_UNAVAILABLE,))
async def get_health(request: Request[Nothing, None]) -> Answer[HealthOut]:
    """Tell whether tables and queue answer."""
    return answers.health(await check(request.app))


@functions.endpoint("GET", "openapi.json", requires=Caller.ANYONE)
async def get_openapi(_: Request[Nothing, None]) -> str:
    """Describe this API as OpenAPI 3.1 has it."""
    from shared.http import openapi  # noqa: PLC0415 - for people who read, not for programs that call

    return openapi.document_text()


@functions.endpoint("GET", "docs", requires=Caller.ANYONE, media_type="text/html")
async def get_docs(_: Request[Nothing, None]) -> Answer[str]:
    """Show a page to read this description, and to try it."""
    from shared.http import docs_page  # noqa: PLC0415 - the same

    return docs_page.page()
