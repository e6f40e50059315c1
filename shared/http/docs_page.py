"""The page to read and try the API: one file with its style and script in it, and nothing from anywhere else."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path

from shared.http.endpoint import Answer


@cache
def page() -> Answer[str]:
    """
    Put the page together, once a process and when it is first asked for.

    Its policy lets the browser run this script and this style, known by their digests, and talk to our own origin only.
    """
    style, script = _text("css"), _text("js")
    html = _text("html").replace("/* style */", style).replace("/* script */", script)
    policy = (
        "default-src 'none'",
        f"style-src '{_digest(style)}'",
        f"script-src '{_digest(script)}'",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return Answer(html, headers={"Content-Security-Policy": "; ".join(policy), "X-Content-Type-Options": "nosniff"})


def _text(suffix: str) -> str:
    return Path(__file__).with_suffix(f".{suffix}").read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
