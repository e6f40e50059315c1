"""Functions that show what the host does: they answer with what they see, and note what they were called with."""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

import azure.functions as func

app = func.FunctionApp()


def note(function: str, **seen: object) -> None:
    """Append a line of JSON to the notes, which the tests read."""
    line = json.dumps({"function": function, "at": time.time(), **seen})
    with Path(os.environ["SAMPLE_NOTES"]).open("a") as notes:
        notes.write(line + "\n")


@app.route("echo/{name}", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def echo(req: func.HttpRequest) -> func.HttpResponse:
    """Answer with the request."""
    seen = {
        "method": req.method,
        "url": req.url,
        "headers": dict(req.headers),
        "route": dict(req.route_params),
        "query": dict(req.params),
        "body": req.get_body().decode(),
    }
    return func.HttpResponse(json.dumps(seen), mimetype="application/json")


@app.route("order/fixed", auth_level=func.AuthLevel.ANONYMOUS)
async def b_fixed(req: func.HttpRequest) -> func.HttpResponse:
    """Never be reached: another name comes first."""
    return func.HttpResponse("fixed")


@app.route("order/{anything}", auth_level=func.AuthLevel.ANONYMOUS)
async def a_anything(req: func.HttpRequest) -> func.HttpResponse:
    """Answer first."""
    return func.HttpResponse("anything")


@app.route("files/{*path}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def files(req: func.HttpRequest) -> func.HttpResponse:
    """Answer with the rest of the path, from a thread."""
    return func.HttpResponse(req.route_params.get("path", "none"))


@app.route("guarded", auth_level=func.AuthLevel.FUNCTION)
async def guarded(req: func.HttpRequest) -> func.HttpResponse:
    """Be there for those with a key."""
    return func.HttpResponse("come in")


@app.route("master-only", auth_level=func.AuthLevel.ADMIN)
async def master_only(req: func.HttpRequest) -> func.HttpResponse:
    """Be there for those with the master key."""
    return func.HttpResponse("come in")


@app.route("fails", auth_level=func.AuthLevel.ANONYMOUS)
async def fails(req: func.HttpRequest) -> func.HttpResponse:
    """Raise."""
    raise RuntimeError("secret detail")


@app.route("slow", auth_level=func.AuthLevel.ANONYMOUS)
async def slow(req: func.HttpRequest) -> func.HttpResponse:
    """Take as long as asked for, in seconds."""
    await asyncio.sleep(float(req.params["seconds"]))
    return func.HttpResponse("done")


@app.route("cookies", auth_level=func.AuthLevel.ANONYMOUS)
async def cookies(req: func.HttpRequest) -> func.HttpResponse:
    """Set two cookies."""
    response = func.HttpResponse("", status_code=201)
    response.headers.add_header("Set-Cookie", "a=1; HttpOnly")
    response.headers.add_header("Set-Cookie", "b=2; Path=/x")
    return response


@app.route("enqueue", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@app.queue_output("out", "%SAMPLE_QUEUE%", "AzureWebJobsStorage")
async def enqueue(req: func.HttpRequest, out: func.Out[str]) -> func.HttpResponse:
    """Put the body into the queue."""
    out.set(req.get_body().decode())
    return func.HttpResponse(status_code=202)


@app.queue_trigger("msg", "%SAMPLE_QUEUE%", "AzureWebJobsStorage")
async def work(msg: func.QueueMessage) -> None:
    """Do what the message says: sleep some seconds, fail, or just note it."""
    order: dict[str, Any] = json.loads(msg.get_body())
    note("work", order=order, attempt=msg.dequeue_count)
    await asyncio.sleep(order.get("sleep", 0))
    if order.get("fail"):
        raise RuntimeError("as ordered")
    note("worked", order=order)


@app.queue_trigger("msg", "%SAMPLE_QUEUE%-poison", "AzureWebJobsStorage")
async def put_aside(msg: func.QueueMessage) -> None:
    """Note what was given up."""
    note("put_aside", text=msg.get_body().decode())


@app.timer_trigger("timer", "%SAMPLE_SCHEDULE%")
async def tick(timer: func.TimerRequest) -> None:
    """Note that it is time."""
    note("tick", past_due=timer.past_due)
