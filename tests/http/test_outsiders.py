"""Nobody gets in where they don't belong: whoever is not a member learns nothing of a group.

The routes are taken from the OpenAPI document, so a new one is tested as soon as it exists.
"""

from tests.http.api import DOCUMENT, Answer, Api, Person, trip

GROUP_ROUTES = [
    (method.upper(), path)
    for path, operations in DOCUMENT.paths.items()
    for method in operations
    if path.startswith("/groups/{group_id}")
]
UNKNOWN = "01990a5e-7c00-7a11-8000-00000000dead"


async def asked(person: Person, method: str, path: str, ids: dict[str, str]) -> Answer:
    """The request without a body, under one id so that only the answer can differ."""
    lines = (("x-request-id", "same"), ("idempotency-key", "k"), ("if-match", '"1"'))
    sent = Person(person.api, person.token, more=lines)
    return await sent.raw(method, path.format(**ids), b"")


async def test_an_outsider_cannot_tell_a_group_from_none(api: Api) -> None:
    lisbon = await trip(api)
    expense = (await lisbon.record())["id"]
    odd = await api.signup("Odd")
    ids = {"group_id": lisbon.id, "member_id": lisbon.ana, "expense_id": expense}
    ids |= {"payment_id": (await lisbon.pay())["id"]}
    assert len(GROUP_ROUTES) >= 12
    for method, path in GROUP_ROUTES:
        there = await asked(odd, method, path, ids)
        nowhere = await asked(odd, method, path, dict.fromkeys(ids, UNKNOWN))
        assert there.said == (404, "not-found"), (method, path)
        assert there.body == nowhere.body
        assert dict(there.headers) == dict(nowhere.headers)


async def test_nobody_is_nobody(api: Api) -> None:
    lisbon = await trip(api)
    ids = {"group_id": lisbon.id, "member_id": lisbon.ana}
    ids |= dict.fromkeys(("expense_id", "payment_id"), UNKNOWN)
    found = [await asked(Person(api), method, path, ids) for method, path in GROUP_ROUTES]
    assert {answer.said for answer in found} == {(401, "credentials-missing")}


async def test_a_thing_is_found_in_its_own_group_alone(api: Api) -> None:
    lisbon = await trip(api)
    elsewhere = await lisbon.owner.post("/groups", {"name": "Porto", "currency": "EUR"})
    ids = {"group_id": elsewhere["id"], "expense_id": (await lisbon.record())["id"]}
    ids |= {"payment_id": (await lisbon.pay())["id"]}
    routes = [
        (method, path)
        for method, path in GROUP_ROUTES
        if "{expense_id}" in path or "{payment_id}" in path
    ]
    found = [await asked(lisbon.owner, method, path, ids) for method, path in routes]
    assert len(found) == 7
    assert {answer.said for answer in found} == {(404, "not-found")}
