"""A client that a public generator makes of the OpenAPI document works against the server.

openapi-python-client knows nothing of ClearSplit but the document. Its client plays the examples in
the order in which somebody would use them (`STORIES`): what it sends has gone through its models,
and every answer has to fit in them.
"""

import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol, get_args, get_type_hints
from uuid import UUID

import httpx
import msgspec
import pytest

from clearsplit_http import examples
from tests.http.process import IN_MEMORY, address, serving
from tests.http.test_openapi import BUILT, STORIES
from tests.http.world import BY_NAME, Operation, reader_of

PACKAGE: Final = "generated_client"


class Answered(Protocol):
    """What the generated client gives back."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> httpx.Headers: ...
    @property
    def content(self) -> bytes: ...
    @property
    def parsed(self) -> object: ...


@dataclass(frozen=True)
class Client:
    """The generated client, signed in where there is a `token`."""

    url: str
    token: str = ""

    def send(self, operation: Operation, **more: object) -> Answered:
        """The generated function of that operation, called."""
        module = importlib.import_module(f"{PACKAGE}.api.{operation.tag}.{operation.name}")
        package = importlib.import_module(PACKAGE)
        client = (
            package.Client(base_url=self.url)
            if operation.public
            else package.AuthenticatedClient(base_url=self.url, token=self.token)
        )
        ids = {name: _id(examples.IDS[name]) for name in operation.ids}
        with client:
            answered: Answered = module.sync_detailed(**ids, client=client, **more)
        return answered

    def examples(self, operation: Operation) -> Iterator[Answered]:
        """Every example of an operation, sent."""
        module = importlib.import_module(f"{PACKAGE}.api.{operation.tag}.{operation.name}")
        for number, body in enumerate(operation.bodies or [None]):
            more: dict[str, object] = {}
            if body is not None:
                told = get_type_hints(module.sync_detailed)["body"]
                shape = next(one for one in get_args(told) or [told] if one.__name__ != "Unset")
                more["body"] = sent = shape.from_dict(body)
                assert sent.to_dict() == body, "the models lose something"
            if operation.keyed:
                more["idempotency_key"] = f"{operation.name}-{number}"
            if operation.versioned:
                more["if_match"] = self.send(reader_of(operation)).headers["etag"]
            yield self.send(operation, **more)


def _id(text: str) -> object:
    """Ids are UUIDs to the client, and the token of an invite is a text."""
    return UUID(text) if re.fullmatch(r"[0-9a-f-]{36}", text) else text


@pytest.fixture
def generated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client stands ready to be imported."""
    document, settings = tmp_path / "openapi.json", tmp_path / "config.yml"
    document.write_bytes(msgspec.json.encode(BUILT))
    settings.write_text("post_hooks: []\n")
    done = subprocess.run(
        [
            Path(sys.executable).with_name("openapi-python-client"),
            *("generate", "--path", document, "--config", settings),
            *("--meta", "none", "--output-path", tmp_path / PACKAGE, "--fail-on-warning"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("generated")
def test_a_generated_client_can_do_everything() -> None:
    problem = importlib.import_module(f"{PACKAGE}.models").Problem
    with serving(env=IN_MEMORY | {"LOG_LEVEL": "error"}) as (_, said):
        client = Client(address(said))
        for name, status in STORIES:
            for answer in client.examples(BY_NAME[name]):
                assert answer.status_code == status, (name, answer.content)
                assert isinstance(answer.parsed, problem) is (status >= 400), name
                assert (answer.parsed is None) is (not answer.content), name
                if name in ("signup", "login"):
                    token = msgspec.json.decode(answer.content, type=dict[str, object])
                    client = replace(client, token=str(token["access_token"]))
