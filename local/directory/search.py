"""`$search` as Graph understands it: quoted clauses, words of names, beginnings of addresses."""

import re
from dataclasses import dataclass
from typing import Self

TOKENISED = "displayName"

_QUOTED = r'"(?:[^"\\]|\\["\\])*"'
_SEARCH = re.compile(rf"{_QUOTED}(?: OR {_QUOTED})*")
_CLAUSE = re.compile(_QUOTED)
_ESCAPE = re.compile(r'\\(["\\])')
_WORD = re.compile(r"[^\W\d_]+|\d+|[\W_]")


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing sought: a property, and how its value or the words in it begin."""

    property: str
    text: str

    def finds(self, properties: dict[str, object]) -> bool:
        """Tell whether an object is one of those sought."""
        value = properties[self.property]
        if not isinstance(value, str):
            return False
        if self.property != TOKENISED:
            return value.casefold().startswith(self.text.casefold())
        words = _words(value)
        return all(any(word.startswith(start) for word in words) for start in _words(self.text))


@dataclass(frozen=True, slots=True)
class Search:
    """What is sought: objects that one of the clauses finds."""

    clauses: tuple[Clause, ...]

    @classmethod
    def parsed(cls, text: str, properties: frozenset[str]) -> Self:
        """Read a search over these properties; ValueError says in one sentence what is wrong with it."""
        if not _SEARCH.fullmatch(text):
            raise ValueError("The search has clauses in double quotes, joined by OR; quotes in them are escaped.")
        return cls(tuple(_clause(quoted, properties) for quoted in _CLAUSE.findall(text)))

    def finds(self, properties: dict[str, object]) -> bool:
        """Tell whether an object is one of those sought."""
        return any(clause.finds(properties) for clause in self.clauses)


def _clause(quoted: str, properties: frozenset[str]) -> Clause:
    name, colon, text = _ESCAPE.sub(r"\1", quoted[1:-1]).partition(":")
    if not colon or name not in properties:
        raise ValueError(f"A clause names one of {', '.join(sorted(properties))}, then a colon.")
    if not text.strip():
        raise ValueError("A clause has a text after the colon.")
    return Clause(name, text)


def _words(text: str) -> list[str]:
    """Split at blanks and between letters, digits and other characters, each of which is a word of its own."""
    return [word for word in _WORD.findall(text.casefold()) if not word.isspace()]
