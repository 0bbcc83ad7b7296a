"""The documentation that the server shows: /openapi.json, /docs and /docs/problems.

Everything that a page needs comes from this server: Swagger UI stands in `static/`, as its makers
published it, beside its licence. The Content-Security-Policy lets a browser ask nobody else.
"""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from litestar.types import HTTPScope, Method, Receive, Send

from clearsplit_core.errors import Refusal
from clearsplit_http.answers import send_answer
from clearsplit_http.openapi import Described, document, every_reason
from clearsplit_http.problems import status_of

_STATIC = Path(__file__).parent / "static"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HTML: Final = "text/html; charset=utf-8"
_FILES: Final = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "start.js": "text/javascript; charset=utf-8",
}
_HEADERS: Final = (
    ("Content-Security-Policy", _POLICY),
    ("Cache-Control", "public, max-age=3600"),
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page or a file: where it is, what it is and what stands in it."""

    path: str
    media_type: str
    content: bytes

    @property
    def method(self) -> Method:
        return "GET"

    async def answer(self, scope: HTTPScope, _receive: Receive, send: Send) -> None:
        await send_answer(200, self.media_type, _HEADERS, self.content, scope, send)


def sheets(operations: Sequence[Described]) -> list[Sheet]:
    """All documentation of these operations."""
    problems = _problems(every_reason(operations)).encode()
    return [
        Sheet("/openapi.json", "application/json", msgspec.json.encode(document(operations))),
        Sheet("/docs", _HTML, (_STATIC / "index.html").read_bytes()),
        Sheet("/docs/problems", _HTML, problems),
        *(
            Sheet(f"/docs/{name}", kind, (_STATIC / name).read_bytes())
            for name, kind in _FILES.items()
        ),
    ]


def _problems(reasons: Iterable[type[Refusal]]) -> str:
    """The page that a problem's `type` leads to: every code, its status and its sentence."""
    rows = "".join(
        f'<tr id="{reason.code}"><td><code>{reason.code}</code></td><td>{status_of(reason)}</td>'
        f"<td>{html.escape(reason.sentence())}</td></tr>\n"
        for reason in sorted(reasons, key=lambda reason: reason.code)
    )
    return (_STATIC / "problems.html").read_text(encoding="utf-8").replace("<!-- rows -->", rows)
