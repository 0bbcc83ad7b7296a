"""Routes of the comments on an expense."""

from clearsplit_core.errors import AlreadyExists, BadText
from clearsplit_core.ports import Sealed
from clearsplit_core.questions import Comments, TheComment
from clearsplit_http.access import commenters_on_the_expense, readers_of_the_expense
from clearsplit_http.asked import Asked
from clearsplit_http.operations import operation
from clearsplit_http.pages import PAGE_QUERY
from clearsplit_http.refusals import BadId
from clearsplit_http.wire.comments import CommentAnswer, NewComment
from clearsplit_http.wire.resources import Nothing, Page


@operation(
    "POST",
    "/groups/{group_id}/expenses/{expense_id}/comments",
    takes=NewComment,
    gives=CommentAnswer,
    status=201,
    door=commenters_on_the_expense,
    refuses=(AlreadyExists, BadId, BadText),
)
async def add_comment(asked: Asked[NewComment]) -> Sealed:
    """Say something about an expense, also about one that was voided."""
    return await asked.store.perform_once(
        asked.command(lambda: asked.body.add(asked.group_id, asked.ids.expense_id)),
        caller=asked.caller,
        receipt=asked.receipt(CommentAnswer.of),
    )


@operation(
    "GET",
    "/groups/{group_id}/expenses/{expense_id}/comments",
    takes=Nothing,
    gives=Page[CommentAnswer],
    door=readers_of_the_expense,
    query=PAGE_QUERY,
)
async def list_comments(asked: Asked[Nothing]) -> Sealed:
    """What was said about an expense, in the order in which it was said."""
    return asked.page(
        await asked.read(
            Comments(
                asked.group_id,
                asked.ids.expense_id,
                after_seq=int(asked.position() or 0),
                limit=asked.limit + 1,
            )
        ),
        CommentAnswer.of,
        lambda comment: str(comment.recorded_seq),
    )


@operation(
    "GET",
    "/groups/{group_id}/expenses/{expense_id}/comments/{comment_id}",
    takes=Nothing,
    gives=CommentAnswer,
    door=readers_of_the_expense,
)
async def get_comment(asked: Asked[Nothing]) -> Sealed:
    """One comment on an expense."""
    question = TheComment(asked.group_id, asked.ids.expense_id, asked.ids.comment_id)
    return asked.found(CommentAnswer.of(await asked.read(question)))


ROUTES = (add_comment, list_comments, get_comment)
