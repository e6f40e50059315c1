"""The smallest app: what any Python function app costs."""

import azure.functions as func

app = func.FunctionApp()


@app.route("hello")
async def hello(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the worker binds by name
    """Answer."""
    return func.HttpResponse("Hello")
