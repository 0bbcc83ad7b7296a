"""Questions about the journal itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from clearsplit_core.journal import Entry, GroupId
from clearsplit_core.questions.book import PAGE_MAX, Book


@dataclass(frozen=True, slots=True)
class Entries:
    """The journal after entry `after_seq`, in order."""

    group_id: GroupId
    after_seq: int = 0
    limit: int = PAGE_MAX

    def answer(self, book: Book) -> Sequence[Entry]:
        return book.entries[self.after_seq : self.after_seq + self.limit]
