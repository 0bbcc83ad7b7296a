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
from litestar.handlers import HTTPRouteHandler
from litestar.response.base import ASGIResponse

from clearsplit_core.errors import Refusal
from clearsplit_http.incoming import Incoming
from clearsplit_http.openapi import Described, document, every_reason
from clearsplit_http.problems import status_of

_STATIC = Path(__file__).parent / "static"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FILES: Final = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "start.js": "text/javascript",
}
_HOUR: Final = "public, max-age=3600"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page or a file: where it is, what it is and what stands in it."""

    path: str
    media_type: str
    content: bytes

    def handler(self) -> HTTPRouteHandler:
        return HTTPRouteHandler(self.path, http_method=["GET", "HEAD"], name=self.path)(self.answer)

    async def answer(self, request: Incoming) -> ASGIResponse:
        head = request.method == "HEAD"
        return ASGIResponse(
            body=b"" if head else self.content,
            content_length=len(self.content),
            is_head_response=head,
            media_type=self.media_type,
            headers={"Content-Security-Policy": _POLICY, "Cache-Control": _HOUR},
        )


def sheets(operations: Sequence[Described]) -> list[Sheet]:
    """All documentation of these operations."""
    problems = _problems(every_reason(operations)).encode()
    return [
        Sheet("/openapi.json", "application/json", msgspec.json.encode(document(operations))),
        Sheet("/docs", "text/html", (_STATIC / "index.html").read_bytes()),
        Sheet("/docs/problems", "text/html", problems),
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
