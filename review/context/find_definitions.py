"""Find what a text defines, by its syntax tree: functions, classes, constants, with their lines, names, signatures and docs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ast_grep_py import SgNode, SgRoot

from review.context.descriptions import bare_name, bound_names, doc_above, docstring_in, receiver_of, signature_of, symbol_of
from review.context.languages import Language, NodeKind, Role

OUTSIDE = -1
OUT_OF_CLASS = re.compile(r"::|\.prototype\.")
"""Stands in the name of a method that is written outside of its class."""
WHOLE_BODY = 2_000
"""Characters of a body of which the beginning may be a docstring."""


@dataclass(frozen=True, slots=True)
class Found:
    """A definition. Lines count from 0; what stands directly above it and belongs to it (comments, decorators) is included.

    `inside` is the place of the definition around it among all those found, or OUTSIDE. `names` are bare, `symbol` is dotted.
    """

    role: Role
    symbol: str
    names: Sequence[str]
    first_line: int
    last_line: int
    name_line: int
    inside: int
    signature: str = ""
    doc: str = ""
    is_method: bool = False


def find_definitions(language: Language, source: str, lines: Sequence[str]) -> Sequence[Found]:
    """What a text defines, in its order: what is inside of another comes after it. What functions define inside is left out."""
    root = SgRoot(source, language.name).root()
    finder = _Finder(language, source, lines)
    for node in root.find_all(any=list(language.rules)):
        finder.see(node)
    return finder.found


class _Finder:
    """Sees the nodes in the order of the text, and remembers which definitions the current one is inside of."""

    def __init__(self, language: Language, source: str, lines: Sequence[str]) -> None:
        self.language, self.source, self.lines = language, source, lines
        self.found: list[Found] = []
        self.open: list[tuple[int, int]] = []
        """The definitions around: where in the text each ends, and its place in `found`."""
        self.leading: dict[int, int] = {}
        """By the last line of a comment or decorator that stands alone on its lines, its first line."""
        self.said: set[int] = set()
        """The lines of the comments among them."""

    def see(self, node: SgNode) -> None:
        """Take in the next node."""
        kind = self.language.kinds.get(node.kind())
        if kind is None:
            parent = node.parent()
            assert parent is not None  # noqa: S101  (its rule asked for it)
            kind = self.language.kinds[f"{parent.kind()}/{node.kind()}"]
        start = node.range().start
        if kind.role is Role.LEADING:
            self._lead(node, start.line, start.column)
            return
        while self.open and self.open[-1][0] <= start.index:
            self.open.pop()
        inside = self.open[-1][1] if self.open else OUTSIDE
        if inside != OUTSIDE and self.found[inside].role is Role.FUNCTION:
            return
        name = self._name(node, kind)
        if name is not None:
            self._define(kind, node, name, inside)

    def _lead(self, node: SgNode, line: int, column: int) -> None:
        if not self.lines[line][:column].strip():
            last = _last_line(node)
            self.leading[last] = line
            if "comment" in node.kind():
                self.said.update(range(line, last + 1))

    def _name(self, node: SgNode, kind: NodeKind) -> SgNode | None:
        if node.kind() in self.language.needs_body and node.field("body") is None:
            return None
        if kind.child:
            return next((child for child in node.children() if child.kind() == kind.child), None)
        holder = node.parent() if kind.of_parent else node
        name = holder.field(kind.field) if holder is not None else None
        while name is not None and (inner := name.field("declarator")) is not None:
            name = inner
        return name

    def _define(self, kind: NodeKind, node: SgNode, name: SgNode, inside: int) -> None:
        text, line = name.text(), name.range().start.line
        if kind.role is Role.CONSTANT:
            names = [name for name in bound_names(text) if inside == OUTSIDE or self._is_open(inside) or name[0].isupper()]
            if names:
                self.found.append(Found(kind.role, "", names, line, line, line, inside))
            return
        symbol = self._symbol(node, text, inside)
        if symbol:
            self.open.append((node.range().end.index, len(self.found)))
            self.found.append(self._found(kind, node, name, symbol, inside))

    def _is_open(self, inside: int) -> bool:
        return self.found[inside].role is Role.SCOPE

    def _symbol(self, node: SgNode, name: str, inside: int) -> str:
        parts = [self.found[inside].symbol] if inside != OUTSIDE else []
        if self.language.receiver and (receiver := node.field(self.language.receiver)) is not None:
            parts.append(receiver_of(receiver.text()))
        own = symbol_of(name)
        return ".".join([*parts, own]) if own else ""

    def _found(self, kind: NodeKind, node: SgNode, name: SgNode, symbol: str, inside: int) -> Found:
        bare = bare_name(symbol) if kind.role in (Role.FUNCTION, Role.CLASS) else ""
        first, begin = self._first_line(node), node.range().start
        head, doc = self._head(kind, node, name.range().start.index)
        return Found(
            role=kind.role,
            symbol=symbol,
            names=[bare] if bare else [],
            first_line=first,
            last_line=max(_last_line(node), begin.line),
            name_line=name.range().start.line,
            inside=inside,
            signature=signature_of(head),
            doc=doc or doc_above([self.lines[line] for line in range(first, begin.line) if line in self.said]),
            is_method=self._is_method(node, name),
        )

    def _head(self, kind: NodeKind, node: SgNode, named: int) -> tuple[str, str]:
        """What stands before the body, and the documentation that the body begins with."""
        whole = node.parent() if kind.of_parent else node
        start = (whole or node).range().start.index
        body = node.field("body")
        if body is None:
            line = self.source[named : self._end_of_line(named)]
            return self.source[start:named] + line.partition("{")[0], ""
        opens = body.range().start.index
        doc = docstring_in(self.source[opens : opens + WHOLE_BODY]) if self.language.docstrings else ""
        return self.source[start:opens], doc

    def _is_method(self, node: SgNode, name: SgNode) -> bool:
        if self.language.receiver and node.field(self.language.receiver) is not None:
            return True
        return node.kind() != "class" and OUT_OF_CLASS.search(name.text()) is not None

    def _first_line(self, node: SgNode) -> int:
        """Where it begins with all that belongs to it: wrappers, and what stands directly above."""
        if self.language.wrappers:
            while (parent := node.parent()) is not None and parent.kind() in self.language.wrappers:
                node = parent
        first = node.range().start.line
        while first - 1 in self.leading:
            first = self.leading[first - 1]
        return first

    def _end_of_line(self, index: int) -> int:
        end = self.source.find("\n", index)
        return end if end >= 0 else len(self.source)


def _last_line(node: SgNode) -> int:
    """The last line that holds something of it: many a node ends with its line's end, at the beginning of the next."""
    end = node.range().end
    return end.line - (end.column == 0)
