"""Access tokens: only what we issued, and only while it is good (the HTTP contract, §7)."""

import asyncio
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import jwt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clearsplit_core.errors import SessionEnded
from clearsplit_core.records import AccountId, SessionId
from clearsplit_http import auth
from clearsplit_http.auth import AccessTokens, bearer
from clearsplit_http.refusals import BadRequest, CredentialsMissing
from tests.http.api import SECRET, Api, Person
from tests.literals import NOON, Clock

NOW = int(NOON.timestamp())
UNKNOWN = "01990a5e-7c00-7a11-8000-00000000dead"
ANOTHER_SECRET = SECRET[::-1]


def forged(
    token: str,
    *,
    key: str = SECRET,
    algorithm: str = "HS256",
    header: object = None,
    **claims: object,
) -> str:
    """`token` with another key, header or claims; a claim that is `...` is left out."""
    content = jwt.decode(token, options={"verify_signature": False}) | claims
    left = {name: value for name, value in content.items() if value is not ...}
    headers = {"typ": "at+jwt"} | (header if isinstance(header, dict) else {})
    return jwt.encode(left, key, algorithm, headers=headers)


def access_tokens(*secrets: str, algorithm: str = "HS256") -> AccessTokens:
    keys = [secret.encode() for secret in secrets or (SECRET,)]
    return AccessTokens(keys, algorithm, timedelta(minutes=15), Clock())


async def said(api: Api, token: str) -> tuple[int, str]:
    return (await Person(api, token).get("/auth/me")).said


async def test_a_token_signed_anew_with_our_key_is_ours(memory_api: Api) -> None:
    ana = await memory_api.signup("Ana")
    assert await said(memory_api, forged(ana.token)) == (200, "")


@pytest.mark.parametrize(
    "change",
    [
        {"key": ANOTHER_SECRET},
        {"algorithm": "HS512"},
        {"algorithm": "HS384"},
        {"header": {"typ": "JWT"}},
        {"header": {"typ": None}},
        {"header": {"kid": "../../dev/null"}},
        {"header": {"jku": "https://example.org/keys"}},
        {"header": {"crit": ["exp"], "exp": 1}},
        {"header": {"x5u": "https://example.org"}},
        {"iss": "somebody"},
        {"aud": "somebody"},
        {"aud": ["clearsplit"]},
        {"aud": ["clearsplit", "somebody"]},
        {"sub": "ana"},
        {"sub": UNKNOWN},
        {"sid": UNKNOWN},
        {"sid": None},
        {"jti": ""},
        {"exp": NOW},
        {"exp": NOW - 1},
        {"exp": 10**400},
        {"exp": 1e308},
        {"exp": NOW + 0.5},
        {"exp": str(NOW + 60)},
        {"exp": True},
        {"exp": -1},
        {"nbf": NOW + 60},
        {"nbf": 10**400},
        {"iat": "now"},
        {"admin": True},
        *({name: ...} for name in ("iss", "aud", "sub", "sid", "iat", "nbf", "exp", "jti")),
    ],
    ids=str,
)
async def test_a_forged_token_is_refused(memory_api: Api, change: dict[str, object]) -> None:
    ana = await memory_api.signup("Ana")
    token = forged(ana.token, **change)  # type: ignore[arg-type]  # a table of keyword arguments
    assert await said(memory_api, token) == (401, "invalid-token")


def _segment(text: str) -> str:
    return urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "make",
    [
        lambda token: _segment('{"alg":"none","typ":"at+jwt"}') + "." + token.split(".")[1] + ".",
        lambda token: _segment('{"alg":"None","typ":"at+jwt"}') + "." + token.split(".")[1] + ".x",
        lambda _: _segment("[" * 1400) + ".e30.x",
        lambda _: _segment('{"alg":' * 200) + ".e30.x",
        lambda token: forged(token, more="x" * auth.TOKEN_CHARACTERS_MAX),
        lambda token: token.rpartition(".")[0] + ".",
        lambda token: token.rpartition(".")[0],
        lambda token: token + "x",
        lambda token: token + ".x",
        lambda token: token[:-3],
        lambda token: "x" + token,
        lambda _: "x",
        lambda _: "...",
        lambda _: "a" * 5_000_000,
    ],
    ids=range(14),
)
async def test_what_is_no_token_of_ours_is_refused(
    memory_api: Api, make: Callable[[str], str]
) -> None:
    ana = await memory_api.signup("Ana")
    assert await said(memory_api, make(ana.token)) == (401, "invalid-token")


async def test_a_token_is_good_until_its_last_second(memory_api: Api, clock: Clock) -> None:
    ana = await memory_api.signup("Ana")
    clock.turn(seconds=15 * 60 - 1)
    assert await said(memory_api, ana.token) == (200, "")
    clock.turn(seconds=1)
    assert await said(memory_api, ana.token) == (401, "invalid-token")


def test_a_token_signed_with_the_secret_before_is_good_until_that_is_forgotten() -> None:
    before = access_tokens(SECRET).issue(AccountId(uuid4()), SessionId(uuid4()))
    assert access_tokens(ANOTHER_SECRET, SECRET).caller(before) == access_tokens().caller(before)
    now = access_tokens(ANOTHER_SECRET, SECRET).issue(AccountId(uuid4()), SessionId(uuid4()))
    for only, token in ((SECRET, now), (ANOTHER_SECRET, before)):
        with pytest.raises(SessionEnded):
            access_tokens(only).caller(token)


async def test_all_bad_tokens_get_one_answer(memory_api: Api, clock: Clock) -> None:
    ana = await memory_api.signup("Ana")
    other = await memory_api.signup("Bo")
    await other.post("/auth/logout")
    tokens = [
        "x",
        forged(ana.token, key=ANOTHER_SECRET),
        other.token,
    ]
    clock.turn(seconds=15 * 60)
    answers = [
        await Person(memory_api, token, more=(("x-request-id", "same"),)).get("/auth/me")
        for token in (*tokens, ana.token)
    ]
    assert len({(answer.status, answer.body) for answer in answers}) == 1
    assert answers[0].headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_whoever_sends_no_token_is_told_no_error(memory_api: Api) -> None:
    for more in ((), (("authorization", "Basic YW5hOmFuYQ=="),), (("authorization", "Digest"),)):
        answer = await Person(memory_api, more=more).get("/auth/me")
        assert answer.said == (401, "credentials-missing")
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "lines",
    [
        ("Bearer",),
        ("Bearer ",),
        ("",),
        ("Bearer a b",),
        ("Bearer a,b",),
        ("Bearer \u00e9",),
        ("Bearer\ta",),
        ("Bearer a", "Bearer a"),
        ("Bearer a", "Basic b"),
        ("Basic b", "Basic b"),
    ],
)
async def test_credentials_that_cannot_be_read_are_refused(
    memory_api: Api, lines: tuple[str, ...]
) -> None:
    more = tuple(("authorization", line) for line in lines)
    answer = await Person(memory_api, more=more).get("/auth/me")
    assert answer.said == (400, "invalid-request")


async def test_bearer_may_be_written_in_any_case(memory_api: Api) -> None:
    ana = await memory_api.signup("Ana")
    for scheme in ("bearer", "BEARER"):
        person = Person(memory_api, more=(("authorization", f"{scheme}  {ana.token}"),))
        assert (await person.get("/auth/me")).status == 200


@given(
    st.lists(st.text() | st.from_regex(r"Bearer [\w~+/-]*\.[\w~+/-]*\.[\w~+/-]*=*", fullmatch=True))
)
def test_any_header_is_a_token_or_refused(lines: list[str]) -> None:
    with pytest.raises((BadRequest, CredentialsMissing, SessionEnded)):
        access_tokens().caller(bearer(lines))


@given(st.binary())
@example(b"[" * 700)
@example(b'{"exp": ' + b"9" * 900 + b"}")
def test_whatever_our_key_has_signed_is_a_token_of_ours_or_refused(content: bytes) -> None:
    header = urlsafe_b64encode(b'{"alg":"HS256","typ":"at+jwt"}').rstrip(b"=")
    said = header + b"." + urlsafe_b64encode(content).rstrip(b"=")
    seal = urlsafe_b64encode(hmac.digest(SECRET.encode(), said, "sha256")).rstrip(b"=")
    token = (said + b"." + seal).decode()
    with pytest.raises(SessionEnded):
        access_tokens().caller(token)


def test_only_so_many_tokens_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "VERIFIED_MAX", 3)
    tokens = access_tokens(algorithm="HS512")
    issued = [tokens.issue(AccountId(uuid4()), SessionId(uuid4())) for _ in range(5)]
    for token in (issued[0], *issued[:4], issued[0], issued[4]):
        tokens.caller(token)
    assert list(tokens._verified) == [issued[3], issued[0], issued[4]]


def test_a_token_that_has_expired_is_remembered_no_longer() -> None:
    clock = Clock()
    tokens = AccessTokens([SECRET.encode()], "HS256", timedelta(minutes=15), clock)
    token = tokens.issue(AccountId(uuid4()), SessionId(uuid4()))
    tokens.caller(token)
    clock.turn(seconds=15 * 60)
    with pytest.raises(SessionEnded):
        tokens.caller(token)
    assert not tokens._verified


async def test_logins_that_cannot_wait_are_sent_away(
    memory_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clearsplit_http.passwords.WAITING_MAX", 1)
    body = {"email": "ana@example.org", "password": "a wrong password, long enough"}
    answers = await asyncio.gather(
        *(Person(memory_api).post("/auth/login", body) for _ in range(30))
    )
    assert {answer.said for answer in answers} == {
        (401, "invalid-credentials"),
        (503, "temporarily-overloaded"),
    }
    busy = next(answer for answer in answers if answer.status == 503)
    assert busy.headers["retry-after"] == "1"
