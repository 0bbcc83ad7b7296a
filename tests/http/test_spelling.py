"""An address has one spelling: a rule of a proxy that names it cannot be walked around."""

from typing import Final
from uuid import uuid4

import pytest

from clearsplit_http.app import OPERATIONS
from tests.http.api import Api, Person

ADDRESSES: Final = sorted({each.path for each in OPERATIONS} | {"/metrics", "/docs"})
NOT_FOUND: Final = (404, "not-found")


@pytest.mark.parametrize("template", ADDRESSES)
async def test_an_address_in_another_spelling_is_none(memory_api: Api, template: str) -> None:
    anybody = Person(memory_api)
    path = "/".join(str(uuid4()) if part[:1] == "{" else part for part in template.split("/"))
    assert (await anybody.get(path)).status != 404
    others = [f"{path}/", f"{path}//", f"{path}%2f", f"/{path}", path.replace("/", "//")]
    for method in ("GET", "POST", "PUT"):
        for other in others:
            assert (await anybody.raw(method, other, b"")).said == NOT_FOUND, other
