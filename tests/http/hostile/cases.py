"""The catalogue: what a hostile client sends, and which problem it gets for it.

A case is bytes on a socket. `{token}`, `{group}` and their like stand for what the live server
knows (`live.py`). `MARK` stands in values that must never come back.
"""

import gzip
import json
from dataclasses import dataclass
from typing import Final

MARK: Final = "hunter2"
JSON: Final = "Content-Type: application/json"
KEY: Final = "Idempotency-Key: {key}"
BEARER: Final = "Authorization: Bearer {token}"
LISBON: Final = b'{"name": "Lisbon", "currency": "EUR"}'
LOGIN: Final = b'{"email": "ana@example.org", "password": "x"}'


@dataclass(frozen=True)
class Case:
    """One request and what must come of it. No code: the request is good."""

    name: str
    request: bytes
    status: int
    code: str = ""


def wire(method: str, target: str, *lines: str, body: bytes = b"", host: str = "Host: x") -> bytes:
    """A request as it goes over the wire, with these header lines and none that is not said."""
    head = "\r\n".join([f"{method} {target} HTTP/1.1", host, *lines])
    return head.encode("latin-1") + b"\r\n\r\n" + body


def sized(method: str, target: str, body: bytes, *lines: str) -> bytes:
    return wire(method, target, *lines, f"Content-Length: {len(body)}", body=body)


def new_group(body: bytes, *lines: str) -> bytes:
    return sized("POST", "/groups", body, BEARER, *(lines or (JSON, KEY)))


def new_expense(**changes: object) -> bytes:
    dinner: dict[str, object] = {
        "title": "Dinner",
        "amount_minor": 100,
        "currency": "EUR",
        "date": "2026-01-31",
        "paid_by": "{member}",
        "split": {"kind": "equal", "members": ["{member}"]},
    }
    kept = {name: value for name, value in (dinner | changes).items() if value is not ...}
    body = json.dumps(kept).encode()
    return sized("POST", "/groups/{group}/expenses", body, BEARER, JSON, KEY)


def amount(text: str) -> bytes:
    """An expense whose amount is written like this."""
    whole = new_expense(amount_minor=0)
    head, _, body = whole.partition(b"\r\n\r\n")
    changed = body.replace(b'"amount_minor": 0', b'"amount_minor": ' + text.encode())
    old, new = f"Content-Length: {len(body)}", f"Content-Length: {len(changed)}"
    return head.replace(old.encode(), new.encode()) + b"\r\n\r\n" + changed


def get(target: str, *lines: str) -> bytes:
    return wire("GET", target, *(lines or (BEARER,)))


# ── Framing ──────────────────────────────────────────────────────────────────────────────────────


def login_as(*lines: str, body: bytes = b"{}") -> bytes:
    return wire("POST", "/auth/login", JSON, *lines, body=body)


CHUNKED: Final = "Transfer-Encoding: chunked"
CHUNK: Final = b"2\r\n{}\r\n0\r\n\r\n"
BAD: Final = (400, "invalid-request")
FRAMING: Final = [
    Case("two lengths that agree", login_as("Content-Length: 2", "Content-Length: 2"), *BAD),
    Case("two lengths that differ", login_as("Content-Length: 2", "Content-Length: 1"), *BAD),
    Case("a list of lengths", login_as("Content-Length: 2, 2"), *BAD),
    Case("a length and chunks", login_as("Content-Length: 2", CHUNKED, body=CHUNK), *BAD),
    Case("chunks and a length", login_as(CHUNKED, "Content-Length: 2", body=CHUNK), *BAD),
    Case("a negative length", login_as("Content-Length: -2"), *BAD),
    Case("a length with a plus", login_as("Content-Length: +2"), *BAD),
    Case("a length in hex", login_as("Content-Length: 0x2"), *BAD),
    Case("a length of 23 digits", login_as("Content-Length: " + "9" * 23), *BAD),
    Case("a length that is a word", login_as(f"Content-Length: {MARK}"), *BAD),
    Case("chunks twice", login_as(CHUNKED, CHUNKED, body=CHUNK), *BAD),
    Case("zipped chunks", login_as("Transfer-Encoding: gzip, chunked", body=CHUNK), *BAD),
    Case("zip alone", login_as("Transfer-Encoding: gzip", body=CHUNK), *BAD),
    Case("nearly chunks", login_as("Transfer-Encoding: xchunked", body=CHUNK), *BAD),
    Case("chunks after a tab", login_as("Transfer-Encoding: \x0bchunked", body=CHUNK), *BAD),
    Case("chunks before a space", login_as("Transfer-Encoding : chunked", body=CHUNK), *BAD),
    Case("a chunk size that is none", login_as(CHUNKED, body=b"zz\r\n{}\r\n0\r\n\r\n"), *BAD),
    Case("a negative chunk", login_as(CHUNKED, body=b"-2\r\n{}\r\n0\r\n\r\n"), *BAD),
    Case("a chunk of 2^72", login_as(CHUNKED, body=b"f" * 18 + b"\r\n{}\r\n0\r\n\r\n"), *BAD),
    Case("a chunk ended by a bare line feed", login_as(CHUNKED, body=b"2\n{}\r\n0\r\n\r\n"), *BAD),
    Case("bare line feeds", b"GET /health HTTP/1.1\nHost: x\n\n", *BAD),
    Case("one bare line feed", b"GET /health HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", *BAD),
    Case("a bare carriage return", b"GET /health HTTP/1.1\r\nHost: x\rA: b\r\n\r\n", *BAD),
    Case("a folded header", b"GET /health HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", *BAD),
    Case("a header without a colon", wire("GET", "/health", MARK), *BAD),
    Case("a header without a name", wire("GET", "/health", f": {MARK}"), *BAD),
    Case("a space in a header's name", wire("GET", "/health", "A b: c"), *BAD),
    Case("a NUL in a header", wire("GET", "/health", "A: b\0c"), *BAD),
    Case("no host", b"GET /health HTTP/1.1\r\n\r\n", *BAD),
    Case("two hosts", wire("GET", "/health", "Host: y"), *BAD),
    Case(
        "chunks in HTTP/1.0",
        login_as(CHUNKED, body=CHUNK).replace(b"HTTP/1.1", b"HTTP/1.0"),
        *BAD,
    ),
    Case("HTTP/0.9", b"GET /health\r\n\r\n", *BAD),
    Case("HTTP/2 without asking", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", *BAD),
    Case("HTTP/9.9", b"GET /health HTTP/9.9\r\nHost: x\r\n\r\n", *BAD),
    Case("TLS", bytes.fromhex("16030100a5010000a10303") + bytes(100) + b"\r\n\r\n", *BAD),
    Case("noise", b"\xff\xfe\x00\x01" + MARK.encode() + b"\r\n\r\n", *BAD),
    Case("a method in small letters", b"get /health HTTP/1.1\r\nHost: x\r\n\r\n", *BAD),
    Case("a method that is none", b"BREW /health HTTP/1.1\r\nHost: x\r\n\r\n", *BAD),
    Case("a tunnel", wire("CONNECT", "evil.example:443"), *BAD),
    Case("a NUL in an address", wire("GET", "/hea\0lth"), *BAD),
    Case("a space in an address", wire("GET", "/hea lth"), *BAD),
    Case("bytes beyond ASCII in an address", wire("GET", "/h\xe9alth"), *BAD),
    Case("an address of 70 kB", wire("GET", "/" + "a" * 70_000), 414, "uri-too-long"),
    Case("a query of 70 kB", get("/groups?limit=" + "1" * 70_000), 414, "uri-too-long"),
    Case("a header of 5 MB", get("/groups", "A: " + "b" * 5_000_000), 431, "headers-too-large"),
    Case(
        "1,000 headers",
        get("/groups", *(f"A{n}: b" for n in range(1000))),
        431,
        "headers-too-large",
    ),
    Case(
        "a token in a trailer",
        wire("GET", "/auth/me", CHUNKED, body=b"0\r\n{bearer}\r\n\r\n"),
        401,
        "credentials-missing",
    ),
]

# ── Addresses and methods ────────────────────────────────────────────────────────────────────────

HIDDEN: Final = (404, "not-found")
BAD_QUERY: Final = (400, "invalid-query")
ADDRESSES: Final = [
    Case("an unknown address", get(f"/{MARK}"), *HIDDEN),
    Case("two slashes", get("//metrics"), *HIDDEN),
    Case("a slash at the end", get("/metrics/"), *HIDDEN),
    Case("a slash at the end, encoded", get("/metrics%2f"), *HIDDEN),
    Case("a letter, encoded", get("/%6detrics"), *HIDDEN),
    Case("two slashes after a host", get("http://x//metrics"), *HIDDEN),
    Case("a way up", get("/groups/../../etc/passwd"), *HIDDEN),
    Case("a way up, encoded", get("/groups/..%2f..%2fetc%2fpasswd"), *HIDDEN),
    Case("a NUL, encoded", get("/groups/%00"), *HIDDEN),
    Case("bytes that are no UTF-8, encoded", get("/groups/%ff"), *HIDDEN),
    Case("an id without dashes", get("/groups/{plain}"), *HIDDEN),
    Case("an id in braces", get("/groups/{{group}}"), *HIDDEN),
    Case("an id with its dashes elsewhere", get("/groups/{dashed}"), *HIDDEN),
    Case("an id as a URN", get("/groups/urn:uuid:{group}"), *HIDDEN),
    Case("an id with a space", get("/groups/%20{group}"), *HIDDEN),
    Case("an id and SQL", get("/groups/{group}'%20or%20'1'='1"), *HIDDEN),
    Case("an id of nobody", get("/groups/00000000-0000-0000-0000-000000000000"), *HIDDEN),
    Case("the whole server", wire("OPTIONS", "*"), *HIDDEN),
    Case(
        "a method that an address lacks", wire("PUT", "/groups", BEARER), 405, "method-not-allowed"
    ),
    Case("TRACE", wire("TRACE", "/groups", BEARER), 405, "method-not-allowed"),
    Case("a limit of 0", get("/groups?limit=0"), *BAD_QUERY),
    Case("a limit of 101", get("/groups?limit=101"), *BAD_QUERY),
    Case("a negative limit", get("/groups?limit=-1"), *BAD_QUERY),
    Case("a fraction as limit", get("/groups?limit=1.0"), *BAD_QUERY),
    Case("an exponent as limit", get("/groups?limit=1e1"), *BAD_QUERY),
    Case("a limit with a plus", get("/groups?limit=%2B1"), *BAD_QUERY),
    Case("Arabic digits as limit", get("/groups?limit=%D9%A1"), *BAD_QUERY),
    Case("no limit", get("/groups?limit="), *BAD_QUERY),
    Case("two limits", get("/groups?limit=1&limit=2"), *BAD_QUERY),
    Case("a limit of 5,000 digits", get("/groups?limit=" + "9" * 5_000), *BAD_QUERY),
    Case("bytes that are no UTF-8 in a query", get("/groups?limit=%ff"), *BAD_QUERY),
    Case("a NUL in a query", get("/groups?limit=1%00"), *BAD_QUERY),
    Case("a parameter that is none", get(f"/groups?{MARK}=1"), *BAD_QUERY),
    Case(
        "1,000 parameters", get("/groups?" + "&".join(f"a{n}=1" for n in range(1000))), *BAD_QUERY
    ),
    Case("a forged cursor", get(f"/groups?cursor={MARK}"), 400, "invalid-cursor"),
    Case("a cursor of 5 kB", get("/groups?cursor=" + "A" * 5_000), 400, "invalid-cursor"),
    Case(
        "a journal after a number of 400 digits",
        get("/groups/{group}/journal?after_seq=1" + "0" * 400),
        *BAD_QUERY,
    ),
]

# ── Bodies ───────────────────────────────────────────────────────────────────────────────────────

PIECE: Final = b"10000\r\n" + b"a" * 65_536 + b"\r\n"
NO_JSON: Final = (400, "invalid-json")
NO_TYPE: Final = (415, "unsupported-media-type")
BODIES: Final = [
    Case("100 kB of [", new_group(b"[" * 100_000), *NO_JSON),
    Case('100,000 times {"a":', new_group(b'{"a":' * 100_000), *NO_JSON),
    Case("33 levels", new_group(b"[" * 33 + b"]" * 33), *NO_JSON),
    Case("bytes that are no UTF-8", new_group(b"\xff\xfe"), *NO_JSON),
    Case("one byte that is no UTF-8", new_group(LISBON.replace(b"s", b"\xff")), *NO_JSON),
    Case("an overlong NUL", new_group(LISBON.replace(b"s", b"\xc0\x80")), *NO_JSON),
    Case("a surrogate in UTF-8", new_group(LISBON.replace(b"s", b"\xed\xa0\x80")), *NO_JSON),
    Case("UTF-16", new_group(LISBON.decode().encode("utf-16")), *NO_JSON),
    Case("a byte order mark", new_group(b"\xef\xbb\xbf" + LISBON), *NO_JSON),
    Case(
        "a field twice",
        new_group(b'{"name": "A", "name": "hunter2", "currency": "EUR"}'),
        *NO_JSON,
    ),
    Case(
        "a field twice, once escaped",
        new_group(b'{"name": "A", "n\\u0061me": "B", "currency": "EUR"}'),
        *NO_JSON,
    ),
    Case("a NUL, escaped", new_group(LISBON.replace(b"s", b"\\u0000")), *NO_JSON),
    Case("half a surrogate pair", new_group(LISBON.replace(b"s", b"\\ud800")), *NO_JSON),
    Case("the other half", new_group(LISBON.replace(b"s", b"\\udc00")), *NO_JSON),
    Case("a control character", new_group(LISBON.replace(b"s", b"\x01")), *NO_JSON),
    Case("NaN", amount("NaN"), *NO_JSON),
    Case("Infinity", amount("-Infinity"), *NO_JSON),
    Case("a number with a leading zero", amount("0100"), *NO_JSON),
    Case("a number in hex", amount("0x64"), *NO_JSON),
    Case("a comment", new_group(LISBON + b"// hunter2"), *NO_JSON),
    Case("a comma too many", new_group(LISBON.replace(b"}", b",}")), *NO_JSON),
    Case("single quotes", new_group(LISBON.replace(b'"', b"'")), *NO_JSON),
    Case("two values", new_group(LISBON + LISBON), *NO_JSON),
    Case("half a value", new_group(LISBON[:-5]), *NO_JSON),
    Case("no body", new_group(b""), *NO_JSON),
    Case("XML", new_group(b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>"), *NO_JSON),
    Case(
        "a zip bomb",
        new_group(gzip.compress(bytes(90_000_000), 9), JSON, KEY, "Content-Encoding: gzip"),
        *NO_TYPE,
    ),
    Case("a zip bomb that is not named", new_group(gzip.compress(bytes(9_000_000))), *NO_JSON),
    Case("deflated", new_group(LISBON, JSON, KEY, "Content-Encoding: deflate"), *NO_TYPE),
    Case("no type", new_group(LISBON, KEY), *NO_TYPE),
    Case(
        "a form",
        new_group(b"name=x", KEY, "Content-Type: application/x-www-form-urlencoded"),
        *NO_TYPE,
    ),
    Case(
        "parts", new_group(b"--x--", KEY, "Content-Type: multipart/form-data; boundary=x"), *NO_TYPE
    ),
    Case("text", new_group(LISBON, KEY, "Content-Type: text/json"), *NO_TYPE),
    Case("Latin-1", new_group(LISBON, KEY, f"{JSON}; charset=latin-1"), *NO_TYPE),
    Case("two types", new_group(LISBON, KEY, JSON, JSON), *NO_TYPE),
    Case("a type of 20 kB", new_group(LISBON, KEY, JSON + ";" + " " * 20_000), *NO_TYPE),
    Case("more than a megabyte", new_group(b'"' + b"a" * 1_000_000 + b'"'), 413, "body-too-large"),
    Case(
        "more than a megabyte in chunks",
        wire("POST", "/groups", BEARER, JSON, KEY, CHUNKED, body=PIECE * 17 + b"0\r\n\r\n"),
        413,
        "body-too-large",
    ),
    Case(
        "a length of a terabyte",
        wire("POST", "/groups", BEARER, JSON, KEY, "Content-Length: 1000000000000"),
        413,
        "body-too-large",
    ),
]

# ── Fields ───────────────────────────────────────────────────────────────────────────────────────


def named(name: str) -> bytes:
    return new_group(json.dumps({"name": name, "currency": "EUR"}).encode())


def percentage(percent: str) -> bytes:
    parts = [{"member_id": "{member}", "percent": percent}]
    return new_expense(split={"kind": "percentage", "parts": parts})


def with_id(chosen: str) -> bytes:
    return new_group(json.dumps({"id": chosen, "name": "A", "currency": "EUR"}).encode())


WRONG_TYPE: Final = (422, "wrong-type")
BAD_TEXT: Final = (422, "bad-text")
BEYOND: Final = (422, "out-of-range")
FIELDS: Final = [
    Case("null for a body", new_group(b"null"), *WRONG_TYPE),
    Case("a list for a body", new_group(b"[]"), *WRONG_TYPE),
    Case("a text for a body", new_group(b'"hunter2"'), *WRONG_TYPE),
    Case("400 digits for a body", new_group(b"1" + b"0" * 400), *WRONG_TYPE),
    Case(
        "an operator for a name", new_group(b'{"name": {"$ne": 1}, "currency": "EUR"}'), *WRONG_TYPE
    ),
    Case(
        "a prototype",
        new_group(b'{"__proto__": {}, "name": "A", "currency": "EUR"}'),
        422,
        "unknown-field",
    ),
    Case(
        "an unknown field",
        new_group(b'{"name": "A", "currency": "EUR", "hunter2": 1}'),
        422,
        "unknown-field",
    ),
    Case("a field of 100 kB", new_group(b'{"' + b"a" * 100_000 + b'": 1}'), 422, "unknown-field"),
    Case("a missing field", new_group(b'{"name": "A"}'), 422, "missing-field"),
    Case("an amount of 2^63", amount(str(2**63)), *BEYOND),
    Case("an amount of -2^63", amount(str(-(2**63))), *BEYOND),
    Case("an amount of 10^15 + 1", amount(str(10**15 + 1)), *BEYOND),
    Case("an amount of 10^400", amount("1" + "0" * 400), *BEYOND),
    Case("an amount of 100,000 digits", amount("1" * 100_000), *BEYOND),
    Case("an amount of 0", amount("0"), 422, "amount-zero"),
    Case("an amount of -0", amount("-0"), 422, "amount-zero"),
    Case("a fraction", amount("100.0"), *WRONG_TYPE),
    Case("an exponent", amount("1e3"), *WRONG_TYPE),
    Case("an exponent beyond every float", amount("1e400"), *WRONG_TYPE),
    Case("a text for an amount", amount('"100"'), *WRONG_TYPE),
    Case("true for an amount", amount("true"), *WRONG_TYPE),
    Case("null for an amount", amount("null"), *WRONG_TYPE),
    Case("a title that runs backwards", new_expense(title="\u202ehunter2"), *BAD_TEXT),
    Case("a title in an isolate", new_expense(title="\u2066hunter2\u2069"), *BAD_TEXT),
    Case("a title of no width", new_expense(title="\u200b\u200d\ufeff"), *BAD_TEXT),
    Case("a title of spaces", new_expense(title=" \u3000\u2003"), *BAD_TEXT),
    Case("a title of tags", new_expense(title="\U000e0041\U000e0042"), *BAD_TEXT),
    Case("a title with an escape", new_expense(title="\x1b[31mhunter2"), *BAD_TEXT),
    Case("a title of 100 kB", new_expense(title="a" * 100_000), *BAD_TEXT),
    Case("a letter under 500 accents", named("a" + "\u0301" * 500), *BAD_TEXT),
    Case("500 accents alone", named("\u0301" * 90), *BAD_TEXT),
    Case("a name of two lines", named("a\nb"), *BAD_TEXT),
    Case("a date that is none", new_expense(date="2026-02-30"), 422, "bad-format"),
    Case("a date with a time", new_expense(date="2026-01-31T00:00:00Z"), 422, "bad-format"),
    Case(
        "a date in Arabic digits",
        new_expense(date="\u0662026-01-31"),
        422,
        "bad-format",
    ),
    Case("a date in the year 0", new_expense(date="0000-01-01"), 422, "bad-format"),
    Case("a currency that is none", new_expense(currency=MARK), 422, "unknown-currency"),
    Case("a currency in small letters", new_expense(currency="eur"), 422, "unknown-currency"),
    Case("a Cyrillic currency", new_expense(currency="\u0415UR"), 422, "unknown-currency"),
    Case("a member that is no id", new_expense(paid_by=MARK), 422, "bad-format"),
    Case(
        "a member of nobody's",
        new_expense(paid_by="01990a5e-7c00-7a11-8000-00000000dead"),
        422,
        "unknown-member",
    ),
    Case("a split that is none", new_expense(split={"kind": MARK}), 422, "unknown-value"),
    Case("a split without a kind", new_expense(split={"members": []}), 422, "missing-field"),
    Case(
        "a split among nobody",
        new_expense(split={"kind": "equal", "members": []}),
        422,
        "nobody-named",
    ),
    Case("a percentage that is no number", percentage(MARK), 422, "not-a-decimal"),
    Case("a percentage of 5,000 digits", percentage("1" * 5000), 422, "not-a-decimal"),
    Case(
        "a chosen id of version 1", with_id("a8098c1a-f86e-11da-bd1a-00112444be1e"), 422, "bad-id"
    ),
    Case("the nil id", with_id("00000000-0000-0000-0000-000000000000"), 422, "bad-id"),
]

# ── Headers ──────────────────────────────────────────────────────────────────────────────────────


def revision(if_match: str) -> bytes:
    place = "/groups/{group}/expenses/{expense}"
    return sized("PATCH", place, b"{}", BEARER, JSON, KEY, if_match)


ETAGS: Final = ", ".join(['"a"'] * 1000)
BAD_KEY: Final = (400, "idempotency-key-invalid")
HEADERS: Final = [
    Case("no key", new_group(LISBON, JSON), 400, "idempotency-key-missing"),
    Case("an empty key", new_group(LISBON, JSON, "Idempotency-Key: "), *BAD_KEY),
    Case("a key of 256", new_group(LISBON, JSON, "Idempotency-Key: " + "k" * 256), *BAD_KEY),
    Case("two keys", new_group(LISBON, JSON, KEY, KEY), *BAD_KEY),
    Case("a key beyond ASCII", new_group(LISBON, JSON, "Idempotency-Key: \xe9"), *BAD_KEY),
    Case("a version of any kind", revision("If-Match: *"), 400, "invalid-header"),
    Case("a version that is none", revision(f"If-Match: {MARK}"), 400, "invalid-header"),
    Case("a version of 400 digits", revision(f'If-Match: "1{"0" * 400}"'), 412, "version-mismatch"),
    Case("credentials twice", get("/auth/me", BEARER, BEARER), *BAD),
    Case("credentials of two kinds", get("/auth/me", BEARER, "Authorization: Basic eA=="), *BAD),
    Case("Bearer alone", get("/auth/me", "Authorization: Bearer"), *BAD),
    Case("two tokens in one line", get("/auth/me", f"{BEARER} x"), *BAD),
    Case("a token with a comma", get("/auth/me", "Authorization: Bearer a,b"), *BAD),
    Case(
        "an address of a proxy's that nobody trusts",
        get("/health", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: evil.example"),
        200,
    ),
    Case("another host", b"GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n", 200),
    Case("a request id that breaks a log", get("/health", 'X-Request-Id: a","b":"' + MARK), 200),
    Case("an upgrade", get("/health", "Connection: upgrade", "Upgrade: websocket"), 200),
    Case("a range", get("/openapi.json", "Range: bytes=0-0,-1"), 200),
    Case("1,000 ETags", get("/auth/me", BEARER, f"If-None-Match: {ETAGS}"), 200),
]

# ── Identity ─────────────────────────────────────────────────────────────────────────────────────


def sign(path: str, **body: object) -> bytes:
    return sized("POST", path, json.dumps(body).encode(), JSON)


def login(email: object, password: object = "a wrong password") -> bytes:
    return sign("/auth/login", email=email, password=password)


def signup(**changes: object) -> bytes:
    ana = {"email": "eve@example.org", "password": "correct horse battery", "name": "Eve"}
    return sign("/auth/signup", **(ana | changes))


WRONG: Final = (401, "invalid-credentials")
ENDED: Final = (401, "invalid-token")
BAD_EMAIL: Final = (422, "bad-email")
IDENTITY: Final = [
    Case("a wrong password", login("{email}"), *WRONG),
    Case("nobody's address", login("nobody@example.org"), *WRONG),
    Case("SQL for an address", login("' or 1=1 --"), *WRONG),
    Case("an address of 100 kB", login("a" * 100_000 + "@x.org"), *WRONG),
    Case("a password of 900 kB", login("{email}", "a" * 900_000), *WRONG),
    Case("a list for a password", login("{email}", ["x"]), *WRONG_TYPE),
    Case("true for a password", login("{email}", password=True), *WRONG_TYPE),
    Case("an address that is none", signup(email=MARK), *BAD_EMAIL),
    Case("two addresses", signup(email="a@x.org,b@x.org@y.org"), *BAD_EMAIL),
    Case("an address with a line feed", signup(email="a@x.org\nBcc: b@x.org"), *BAD_EMAIL),
    Case("an address that runs backwards", signup(email="\u202ea@x.org"), *BAD_EMAIL),
    Case("the same address, spelt otherwise", signup(email="{EMAIL}"), 409, "email-taken"),
    Case("a short password", signup(password="hunter2"), 422, "bad-password"),
    Case("a long password", signup(password="a" * 1025), 422, "bad-password"),
    Case(
        "a password that everybody has", signup(password="passwordpassword"), 422, "common-password"
    ),
    Case(
        "a password that is short once it is composed",
        signup(password="a" * 14 + "\u0301"),
        422,
        "bad-password",
    ),
    Case("a refresh token that is none", sign("/auth/refresh", refresh_token=MARK), *ENDED),
    Case("a refresh token of 900 kB", sign("/auth/refresh", refresh_token="A" * 900_000), *ENDED),
    Case("an access token to refresh with", sign("/auth/refresh", refresh_token="{token}"), *ENDED),
    Case(
        "a personal token to refresh with", sign("/auth/refresh", refresh_token="{reader}"), *ENDED
    ),
    Case("a refresh token for access", get("/auth/me", "Authorization: Bearer {refresh}"), *ENDED),
    Case("a group of others", get("/groups/{group}", "Authorization: Bearer {stranger}"), *HIDDEN),
    Case(
        "a change to a group of others",
        sized(
            "POST",
            "/groups/{group}/members",
            b'{"name": "Eve"}',
            JSON,
            KEY,
            "Authorization: Bearer {stranger}",
        ),
        *HIDDEN,
    ),
    Case(
        "a session of others",
        wire("DELETE", "/auth/sessions/{session}", "Authorization: Bearer {stranger}"),
        *HIDDEN,
    ),
    Case(
        "a personal token for the account",
        get("/auth/me", "Authorization: Bearer {reader}"),
        403,
        "insufficient-scope",
    ),
    Case(
        "a reading token to write with",
        sized("POST", "/groups", LISBON, JSON, KEY, "Authorization: Bearer {reader}"),
        403,
        "insufficient-scope",
    ),
    Case(
        "a personal token with another end",
        get("/groups", "Authorization: Bearer {reader}A"),
        *ENDED,
    ),
]

CASES: Final = (*FRAMING, *ADDRESSES, *BODIES, *FIELDS, *HEADERS, *IDENTITY)
