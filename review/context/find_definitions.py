"""Find what a text defines, by its syntax tree: functions, classes, constants, with their lines, names, signatures and docs."""

from collections.abc import Sequence
from dataclasses import dataclass

from ast_grep_py import SgNode, SgRoot

from review.context.descriptions import bare_name, bound_names, doc_above, docstring_in, receiver_of, signature_of, symbol_of
from review.context.languages import Language, NodeKind, Role

OUTSIDE = -1
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
    for node in root.find_all({"rule": {"any": list(language.rules)}}):
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
            end = node.range().end
            self.leading[end.line - (end.column == 0 and end.line > line)] = line

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
        if not symbol:
            return
        self.open.append((node.range().end.index, len(self.found)))
        self.found.append(self._found(kind.role, node, symbol, line, inside))

    def _is_open(self, inside: int) -> bool:
        return self.found[inside].role is Role.SCOPE

    def _symbol(self, node: SgNode, name: str, inside: int) -> str:
        parts = [self.found[inside].symbol] if inside != OUTSIDE else []
        if self.language.receiver and (receiver := node.field(self.language.receiver)) is not None:
            parts.append(receiver_of(receiver.text()))
        own = symbol_of(name)
        return ".".join([*parts, own]) if own else ""

    def _found(self, role: Role, node: SgNode, symbol: str, name_line: int, inside: int) -> Found:
        name = bare_name(symbol) if role in (Role.FUNCTION, Role.CLASS) else ""
        span = node.range()
        first, last = self._first_line(node), max(span.end.line - (span.end.column == 0), span.start.line)
        body = node.field("body")
        opens = body.range().start.index if body is not None else self._end_of_line(span.start.index)
        doc = docstring_in(self.source[opens : opens + WHOLE_BODY]) if self.language.docstrings and body is not None else ""
        return Found(
            role=role,
            symbol=symbol,
            names=[name] if name else [],
            first_line=first,
            last_line=last,
            name_line=name_line,
            inside=inside,
            is_method=bool(self.language.receiver) and node.field(self.language.receiver) is not None,
            signature=signature_of(self.source[span.start.index : opens]),
            doc=doc or doc_above(self.lines[first:name_line]),
        )

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
