"""Logs: JSON, the request's id on every line, named events, and nothing that opens a door."""

import json
import re
from collections.abc import Generator
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.http.hostile.cases import CASES
from tests.http.hostile.live import PASSWORD, PEPPER, SECRET, Live, serving

NEW: Final = "another long password"
GUESS: Final = "a guess that is no password"


@pytest.fixture
def live(tmp_path: Path, database_url: str) -> Generator[Live]:
    postgres = {"DATABASE_URL": database_url, "ALLOW_UNSAFE_DATABASE": "1"}
    with serving(tmp_path / "log", **postgres, RATE_LIMIT_LOGIN="4/300") as found:
        yield found


def lines(live: Live) -> list[dict[str, object]]:
    return [json.loads(line) for line in live.log.read_text().splitlines()]


def a_life(live: Live) -> set[str]:
    """Somebody does everything that an account can do, and somebody else tries to. What must not
    be in any log afterwards."""
    with httpx.Client(base_url=f"http://127.0.0.1:{live.port}") as http:
        body = {"email": "dee@logs.example.org", "password": PASSWORD, "name": "Dee Delphin"}
        first = http.post("/auth/signup", json=body).json()
        sent = {"Authorization": f"Bearer {first['access_token']}", "Idempotency-Key": "k"}
        token = http.post(
            "/auth/tokens", json={"name": "Bot", "scope": "read"}, headers=sent
        ).json()
        http.get("/auth/me", headers={"Authorization": f"Bearer {token['token']}"})
        http.post("/groups", json={"name": "Secret Society", "currency": "EUR"}, headers=sent)
        second = _refreshed(http, first["refresh_token"])
        third = _refreshed(http, second["refresh_token"])
        http.post("/auth/refresh", json={"refresh_token": first["refresh_token"]})
        http.get("/auth/me", headers=sent)
        http.get("/auth/me", headers={"Authorization": f"Bearer {third['access_token'][:-4]}AAAA"})
        credentials = {"email": body["email"], "password": PASSWORD}
        http.post("/auth/login", json=credentials | {"password": GUESS})
        fourth = http.post("/auth/login", json=credentials).json()
        sent = {"Authorization": f"Bearer {fourth['access_token']}"}
        change = {"current_password": PASSWORD, "new_password": NEW}
        http.put("/auth/password", json=change, headers=sent)
        for _ in range(3):
            http.post("/auth/login", json=credentials)
    told = [first, second, third, fourth]
    tokens = {one[name] for one in told for name in ("access_token", "refresh_token")}
    parts = {part for token in tokens for part in token.split(".") if len(part) > 40}
    words = {PASSWORD, NEW, GUESS, SECRET, PEPPER, token["token"], "Secret Society", "Dee Delphin"}
    return tokens | parts | words | {body["email"], "$2b$", "$2b", "Bearer"}


def _refreshed(http: httpx.Client, token: str) -> dict[str, str]:
    found: dict[str, str] = http.post("/auth/refresh", json={"refresh_token": token}).json()
    return found


def test_no_log_holds_what_opens_a_door(live: Live) -> None:
    secret = a_life(live)
    for case in CASES:
        live.send(live.filled(case.request))
    log = live.log.read_text()
    assert [one for one in secret if one in log] == []
    assert len(log) > 10_000


def test_what_happens_to_somebodys_access_has_a_name(live: Live) -> None:
    a_life(live)
    events = {line["event"] for line in lines(live)}
    assert events >= {
        "signed-up", "signed-in", "token-issued", "family-revoked", "token-refused", "login-failed",
        "password-changed", "limit-hit", "access-refused", "request",
    }  # fmt: skip


def test_every_line_is_json_and_has_its_request(live: Live) -> None:
    a_life(live)
    refused = live.send(b"NOISE\r\n\r\n")
    told = lines(live)
    (noise,) = [line for line in told if line["event"] == "framing-refused"]
    assert noise["code"] == "invalid-request"
    assert noise["request_id"] == json.loads(refused.body)["request_id"]
    assert all(re.fullmatch(r"[\w.-]{1,64}", str(line["request_id"])) for line in told)
    assert {line["client"] for line in told} == {"127.0.0.1"}
    assert all(str(line["timestamp"]).endswith("Z") for line in told)


def test_a_line_says_the_route_and_never_the_address(live: Live) -> None:
    group = live.known["group"]
    answer = live.send(live.filled(b"GET /groups/{group} HTTP/1.1\r\nHost: x\r\n\r\n"))
    live.send(b"GET /invites/a-secret HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.status == 401
    log = live.log.read_text()
    assert group not in log
    assert "a-secret" not in log
    assert "/groups/{group_id}" in {line.get("route") for line in lines(live)}


def test_the_id_in_a_line_is_the_id_in_the_answer(live: Live) -> None:
    for given in ("", "X-Request-Id: from-a-proxy\r\n"):
        request = f"GET /openapi.json HTTP/1.1\r\nHost: x\r\n{given}\r\n"
        found = re.search(r"x-request-id: (\S+)", live.send(request.encode()).head)
        assert found
        live.send(request.encode())  # the line of a request is written before the next is answered
        assert [one["status"] for one in lines(live) if one["request_id"] == found[1]][:1] == [200]


def test_a_log_can_be_quieter(tmp_path: Path) -> None:
    with serving(tmp_path / "log", LOG_LEVEL="warning") as live:
        live.send(b"GET /groups HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\n\r\n")
        assert [line["event"] for line in lines(live)] == ["token-refused"]
