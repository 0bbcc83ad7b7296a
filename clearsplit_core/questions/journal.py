"""Questions about the journal itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from clearsplit_core.journal import Entry, GroupId
from clearsplit_core.plain import Texts, strings_in
from clearsplit_core.questions.book import PAGE_MAX, Book


@dataclass(frozen=True, slots=True)
class Entries:
    """The journal after entry `after_seq`, in order."""

    group_id: GroupId
    after_seq: int = 0
    limit: int = PAGE_MAX

    def answer(self, book: Book) -> Sequence[Entry]:
        return book.entries[self.after_seq : self.after_seq + self.limit]


@dataclass(frozen=True, slots=True)
class ToldEntry:
    """An entry, and those of its texts that were not erased, by commitment."""

    entry: Entry
    texts: Texts


@dataclass(frozen=True, slots=True)
class Feed:
    """The journal after entry `after_seq`, in order, with what there is to read in it."""

    group_id: GroupId
    after_seq: int = 0
    limit: int = PAGE_MAX

    def answer(self, book: Book) -> Sequence[ToldEntry]:
        page = Entries(self.group_id, self.after_seq, self.limit).answer(book)
        return [ToldEntry(entry, texts_named_by(entry, book.texts)) for entry in page]


def texts_named_by(entry: Entry, texts: Texts) -> Texts:
    """Those of `texts` that an entry's event names."""
    return {mark: texts[mark] for mark in strings_in(entry.event) if mark in texts}
