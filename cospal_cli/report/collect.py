"""A page of answers: they are added as they come, and written at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.progress import Progress, never, silent
from cospal_cli.report.answers import Answer, answer_of
from cospal_cli.report.links import Link, links, source_of
from cospal_cli.report.page import write_page
from cospal_cli.report.settings import settings_tables
from cospal_cli.report.sheets import PageSheet, sheets

SORTS = {
    "order": "as they came",
    "match": "best match first",
    "score": "best score first",
    "start": "earliest first",
    "length": "longest first",
    "video": "by video",
    "text": "by sentence",
}


@dataclass(frozen=True)
class Card:
    """An answer with all that the page shows beside it."""

    number: int
    answer: Answer
    sheet: PageSheet
    links: list[Link]
    settings: int  # the number of its table


@dataclass
class AnswersPage:
    """The page of a run, a batch or a search, to be written to ``path``."""

    path: Path
    title: str = ""  # default: the sentence, or how many answers there are
    answers: list[Answer] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what else the reader should know

    def add(
        self,
        document: JsonDict,
        place: Path | None = None,
        made: Iterable[tuple[str, Path]] = (),
    ) -> None:
        """Add a ``cospal/tube@1`` document, of which little is kept.

        ``place``: the file that it was written to. ``made``: other files of the same result with a
        name for each, such as ("clip", path). InputError for another document.
        """
        answer = answer_of(document, "the document", place)
        self.answers.append(replace(answer, made=tuple(made)))

    def write(self, progress: Progress = silent, stopped: Callable[[], bool] = never) -> None:
        """Decode what the sheets show, and write the page, whole or not at all."""
        sources = [source_of(one) for one in self.answers]
        orders = [(one.order, path) for one, path in zip(self.answers, sources, strict=True)]
        made = sheets(orders, progress, stopped)
        tables, number_of = settings_tables(one.config for one in self.answers)
        cards = [
            Card(number, one, sheet, links(one, source, self.path.parent), number_of[one.config])
            for number, (one, source, sheet) in enumerate(
                zip(self.answers, sources, made, strict=True), 1
            )
        ]
        rows = [_row(card) for card in cards]
        write_page(
            self.path,
            "answers.html",
            self.title or _title(self.answers),
            rows,
            cards=cards,
            summary=_summary(self.answers),
            sorts=_sorts(rows) if len(cards) > 1 else {},
            settings=tables,
            one_sentence=len({one.text for one in self.answers}) == 1 < len(cards),
            notes=self.notes,
        )


def _row(card: Card) -> JsonDict:
    """What the page's script knows of a card."""
    answer, best = card.answer, card.answer.best
    words = [answer.text, answer.video, *answer.unresolved, *answer.warnings]
    words += [one.label for one in answer.candidates] or ["no match"]
    return {
        "order": card.number,
        "words": " ".join(words).casefold(),
        "text": answer.text,
        "video": answer.name,
        "match": best.match if best else None,
        "score": best.score if best else None,
        "start": best.start_s if best else None,
        "length": best.end_s - best.start_s if best else None,
    }


def _sorts(rows: Sequence[JsonDict]) -> dict[str, str]:
    """The ways to sort for which there are values."""
    return {key: name for key, name in SORTS.items() if any(row[key] is not None for row in rows)}


def _title(answers: Sequence[Answer]) -> str:
    texts = {one.text for one in answers}
    return texts.pop() if len(texts) == 1 else f"{len(answers)} answers"


def _summary(answers: Sequence[Answer]) -> list[tuple[str, str]]:
    """The figures at the top of the page."""
    empty = sum(not one.candidates for one in answers)
    figures = {
        "videos": len({one.video for one in answers}),
        "sentences": len({one.text for one in answers}),
        "answers": len(answers),
        "no match": empty,
        "damaged or interrupted": sum(one.status != "complete" for one in answers),
        "with warnings": sum(bool(one.warnings) for one in answers),
    }
    return [(name, str(value)) for name, value in figures.items() if value]
