"""Versions: If-Match on a change, If-None-Match on a read (the HTTP contract, §5)."""

import pytest

from clearsplit_http.preconditions import NEVER, Tag, read_if_match, read_if_none_match
from clearsplit_http.refusals import BadHeader
from tests.http.api import Api, trip


async def test_a_change_without_a_version_is_refused(api: Api) -> None:
    lisbon = await trip(api)
    place = (await lisbon.record()).headers["location"]
    required = (428, "precondition-required")
    assert (await lisbon.owner.patch(place, {"title": "Supper"})).said == required
    assert (await lisbon.owner.delete(place)).said == required
    assert (await lisbon.owner.post(f"{place}/restore")).said == required


@pytest.mark.parametrize("tag", ['"2"', 'W/"1"', '"01"', '""', '"one"', '"' + "9" * 300 + '"'])
async def test_a_stale_weak_or_foreign_version_gets_the_present_one(api: Api, tag: str) -> None:
    lisbon = await trip(api)
    place = (await lisbon.record()).headers["location"]
    for answer in (
        await lisbon.owner.sending(if_match=tag).patch(place, {"title": "Supper"}),
        await lisbon.owner.sending(if_match=tag).delete(place),
        await lisbon.owner.sending(if_match=tag).post(f"{place}/restore"),
    ):
        assert (answer.said, answer.etag) == ((412, "version-mismatch"), '"1"')


@pytest.mark.parametrize("tag", ["*", "1", '"1', '"1", "2"', "", '"1""'])
async def test_what_names_no_single_version_is_refused(memory_api: Api, tag: str) -> None:
    lisbon = await trip(memory_api)
    place = (await lisbon.record()).headers["location"]
    answer = await lisbon.owner.sending(if_match=tag).delete(place)
    assert answer.said == (400, "invalid-header")


async def test_a_second_void_with_the_first_version_is_stale(api: Api) -> None:
    lisbon = await trip(api)
    place = (await lisbon.record()).headers["location"]
    owner = lisbon.owner.sending(if_match='"1"')
    await owner.delete(place)
    answer = await owner.delete(place)
    assert (answer.said, answer.etag) == ((412, "version-mismatch"), '"2"')


@pytest.mark.parametrize(
    ("tags", "status"),
    [('"1"', 304), ('W/"1"', 304), ('"0", "1"', 304), ("*", 304), ('"2"', 200), ('"11"', 200)],
)
async def test_what_the_caller_has_is_not_sent_again(api: Api, tags: str, status: int) -> None:
    lisbon = await trip(api)
    place = (await lisbon.record()).headers["location"]
    answer = await lisbon.owner.sending(if_none_match=tags).get(place)
    assert (answer.status, answer.etag) == (status, '"1"')
    assert bool(answer.body) is (status == 200)


async def test_a_group_an_account_and_a_member_have_versions_too(api: Api) -> None:
    lisbon = await trip(api)
    for path in (lisbon.path, "/auth/me", f"{lisbon.path}/members/{lisbon.bo}"):
        tag = (await lisbon.owner.get(path)).etag
        assert (await lisbon.owner.sending(if_none_match=tag).get(path)).status == 304


async def test_balances_and_previews_are_always_sent(api: Api) -> None:
    lisbon = await trip(api)
    for path in ("balances", "settlements/preview"):
        answer = await lisbon.owner.sending(if_none_match="*").get(f"{lisbon.path}/{path}")
        assert answer.status == 200
        assert "etag" not in answer.headers


async def test_tags_that_cannot_be_read_are_refused(memory_api: Api) -> None:
    lisbon = await trip(memory_api)
    answer = await lisbon.owner.sending(if_none_match="1").get(lisbon.path)
    assert answer.said == (400, "invalid-header")


def test_a_header_is_read_as_the_rfc_has_it() -> None:
    assert read_if_match([]) is None
    assert read_if_match(['"12"']) == Tag(12)
    assert read_if_match(['"3.12"']) == Tag(3, 12)
    assert read_if_match(['"3.0"']) == NEVER
    assert read_if_match(['W/"12"']) == NEVER
    assert read_if_none_match(['"1"', 'W/"a,b"']) == {'"1"', '"a,b"'}
    with pytest.raises(BadHeader):
        read_if_match(['"1"', '"1"'])
