"""A page that shows who is in the directories and how to ask."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from string import Template

from aiohttp import web

from local.directory.people import Directory
from local.directory.service import STATE

routes = web.RouteTableDef()

_SHOWN = 20
_PAGE = Template(Path(__file__).with_name("index.html").read_text(encoding="utf-8"))
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


@routes.get("/")
async def index(request: web.Request) -> web.Response:
    """Show the page."""
    directories = request.app[STATE].directories
    content = "".join(_section(name, directory) for name, directory in directories.items())
    text = _PAGE.substitute(origin=escape(f"{request.scheme}://{request.host}"), directories=content)
    return web.Response(text=text, content_type="text/html", headers=_HEADERS)


def _section(name: str, directory: Directory) -> str:
    people = [(str(each.id), each.display_name, each.mail or "-") for each in directory.users]
    groups = [
        (str(each.id), each.display_name, each.mail or "-", f"{len(each.members)} members") for each in directory.groups
    ]
    return f"<h2>{escape(name.title())}</h2>{_table('People', people)}{_table('Groups', groups)}"


def _table(title: str, rows: Sequence[tuple[str, ...]]) -> str:
    more = f"<p>… and {len(rows) - _SHOWN} more.</p>" if len(rows) > _SHOWN else ""
    return f"<table><caption>{title}</caption>{''.join(map(_row, rows[:_SHOWN]))}</table>{more}"


def _row(cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
