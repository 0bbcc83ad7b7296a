"""Forged and dead tokens against a live server: one answer for all of them."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Generator
from functools import partial
from typing import Final, TypeAlias

import httpx
import jwt
import pytest

from tests.http.hostile.cases import get
from tests.http.hostile.live import SECRET, Live, serving

Claims: TypeAlias = dict[str, object]

HEADER: Final[Claims] = {"alg": "HS256", "typ": "at+jwt"}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Generator[Live]:
    with serving(tmp_path_factory.mktemp("tokens") / "log") as found:
        yield found


def part(tree: object) -> str:
    return urlsafe_b64encode(json.dumps(tree).encode()).rstrip(b"=").decode()


def signed(claims: Claims, key: str = SECRET, algorithm: str = "HS256", **header: object) -> str:
    return jwt.encode(claims, key, algorithm, headers={"typ": "at+jwt"} | header)


def without(name: str, claims: Claims) -> str:
    return signed({known: value for known, value in claims.items() if known != name})


PUBLIC_KEY: Final = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----"
FORGERIES: Final[dict[str, Callable[[Claims], str]]] = {
    "another key": lambda claims: signed(claims, "x" * 64),
    "an empty key": lambda claims: f"{part(HEADER)}.{part(claims)}.",
    "alg none": lambda claims: f"{part(HEADER | {'alg': 'none'})}.{part(claims)}.",
    "alg None": lambda claims: f"{part(HEADER | {'alg': 'NONE'})}.{part(claims)}.eA",
    "alg of no kind": lambda claims: f"{part(HEADER | {'alg': ['HS256']})}.{part(claims)}.eA",
    "HS384": lambda claims: signed(claims, algorithm="HS384"),
    "HS512": lambda claims: signed(claims, algorithm="HS512"),
    "RS256": lambda claims: f"{part(HEADER | {'alg': 'RS256'})}.{part(claims)}.eA",
    "another type": lambda claims: signed(claims, typ="JWT"),
    "no type": lambda claims: signed(claims, typ=None),
    "crit": lambda claims: signed(claims, crit=["b64"], b64=False),
    "crit of ours": lambda claims: signed(claims, crit=["exp"], exp=1),
    "jku": lambda claims: signed(claims, jku="https://evil.example/keys"),
    "jwk": lambda claims: signed(claims, jwk={"kty": "oct", "k": "eA"}),
    "x5u": lambda claims: signed(claims, x5u="https://evil.example/cert"),
    "x5c": lambda claims: signed(claims, x5c=[PUBLIC_KEY]),
    "kid that is a path": lambda claims: signed(claims, kid="../../../../dev/null"),
    "kid that is SQL": lambda claims: signed(claims, kid="' union select 'x"),
    "zip": lambda claims: signed(claims, zip="DEF"),
    "another issuer": lambda claims: signed(claims | {"iss": "evil"}),
    "another audience": lambda claims: signed(claims | {"aud": "evil"}),
    "a list of audiences": lambda claims: signed(claims | {"aud": ["clearsplit"]}),
    "another account": lambda claims: signed(claims | {"sub": claims["sid"]}),
    "another session": lambda claims: signed(claims | {"sid": claims["sub"]}),
    "a session for a list": lambda claims: signed(claims | {"sid": [claims["sid"]]}),
    "an end in 10^400 seconds": lambda claims: signed(claims | {"exp": 10**400}),
    "an end that is a fraction": lambda claims: signed(claims | {"exp": 4e9 + 0.5}),
    "an end that is a text": lambda claims: signed(claims | {"exp": "4000000000"}),
    "an end that was": lambda claims: signed(claims | {"exp": 1}),
    "an end that is NaN": lambda claims: signed(claims | {"exp": float("nan")}),
    "a beginning that is to come": lambda claims: signed(claims | {"nbf": 4_000_000_000}),
    "a claim too many": lambda claims: signed(claims | {"admin": True}),
    **{
        f"no {name}": partial(without, name)
        for name in ("iss", "aud", "sub", "sid", "iat", "nbf", "exp", "jti")
    },
    "claims for a list": lambda claims: f"{part(HEADER)}.{part([claims])}.eA",
    "a tower of lists": lambda _: f"{part(HEADER)}.{'W1tb' * 400}.eA",
    "five parts": lambda claims: f"{signed(claims)}.eA.eA",
    "a padded part": lambda claims: signed(claims) + "==",
    "nothing but dots": lambda _: "..",
    "30 kB": lambda claims: signed(claims | {"jti": "a" * 20_000}),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_token_is_refused(live: Live, forgery: str) -> None:
    claims = jwt.decode(live.known["token"], options={"verify_signature": False})
    reply = live.send(_asking(FORGERIES[forgery](claims)))
    assert (reply.status, json.loads(reply.body)["code"]) == (401, "invalid-token")
    assert 'www-authenticate: bearer error="invalid_token"' in reply.head


def test_a_token_made_anew_with_the_right_key_is_good(live: Live) -> None:
    """So that it is the forgery that is refused above, and not the way in which it is made."""
    claims = jwt.decode(live.known["token"], options={"verify_signature": False})
    assert live.send(_asking(signed(claims))).status == 200


def test_a_token_of_5_mb_is_refused_before_anybody_reads_it(live: Live) -> None:
    assert live.send(_asking("a" * 5_000_000)).status == 431


ENDINGS: Final[dict[str, tuple[str, str, dict[str, str]]]] = {
    "signed out": ("POST", "/auth/logout", {}),
    "signed out everywhere": ("POST", "/auth/logout-all", {}),
    "password changed": (
        "PUT",
        "/auth/password",
        {"current_password": "a long enough password", "new_password": "another long password"},
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_token_of_an_ended_session_is_refused_at_once(live: Live, ending: str) -> None:
    method, path, body = ENDINGS[ending]
    email = f"{ending.replace(' ', '-')}@hostile.example.org"
    opening = {"email": email, "password": "a long enough password", "name": "Bo"}
    with httpx.Client(base_url=f"http://127.0.0.1:{live.port}") as http:
        tokens = http.post("/auth/signup", json=opening).json()
        sent = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert http.get("/auth/me", headers=sent).status_code == 200
        ended = http.request(method, path, headers=sent, json=body or None)
        assert ended.status_code == 204
        after = http.get("/auth/me", headers=sent)
        renewed = http.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    for answer in (after, renewed):
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid-token")


def test_all_bad_tokens_get_the_same_bytes(live: Live) -> None:
    claims = jwt.decode(live.known["token"], options={"verify_signature": False})
    tokens = (forge(claims) for forge in FORGERIES.values())
    bodies = {live.send(_asking(token, "X-Request-Id: same")).body for token in tokens}
    assert len(bodies) == 1


def _asking(token: str, *more: str) -> bytes:
    return get("/auth/me", f"Authorization: Bearer {token}", *more)


def test_a_forged_refresh_token_gets_nothing_and_ends_the_session(live: Live) -> None:
    opening = {
        "email": "cy@hostile.example.org",
        "password": "a long enough password",
        "name": "Cy",
    }
    with httpx.Client(base_url=f"http://127.0.0.1:{live.port}") as http:
        good = http.post("/auth/signup", json=opening).json()["refresh_token"]
        forged = good[:50] + "A" * 36
        for token in (forged, good):
            answer = http.post("/auth/refresh", json={"refresh_token": token})
            assert (answer.status_code, answer.json()["code"]) == (401, "invalid-token")
