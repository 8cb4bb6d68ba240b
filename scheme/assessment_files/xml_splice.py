"""Adds to an XML part without touching the bytes that are there: what nobody here understands stays as it was."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from gridmodel.errors import InputError

_TAG = re.compile(rb"<([^\s/>]+)(?:\"[^\"]*\"|'[^']*'|[^>\"'])*>")
_DECLARED = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([\w.-]+)[\"']")
_ENCODINGS = (b"utf-8", b"utf8", b"us-ascii", b"ascii")
_SEPARATOR = " "
_DIGITS_MAX = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One element as it stands in the bytes."""

    name: str
    """Local name."""
    namespace: str
    depth: int
    """0 for the root."""
    attributes: Mapping[str, str]
    begin: int
    """Offset of the start tag."""
    inner_end: int
    """Offset of the end tag; ``begin`` where the element is written as one tag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Bytes from ``begin`` to ``end`` give way to ``content``."""

    begin: int
    end: int
    content: bytes


def scan(content: bytes, part: str, see: Callable[[Element], None]) -> None:
    """Call ``see`` for every element of a part as it ends.

    Args:
        content: The part.
        part: Its name, for messages.
        see: Called with each element, children before their parent.

    Raises:
        InputError: It is no XML in UTF-8, or it declares a document type.
    """
    declared = _DECLARED.match(content.removeprefix(b"\xef\xbb\xbf"))
    if b"\0" in content[:4] or (declared is not None and declared[1].lower() not in _ENCODINGS):
        raise InputError("the workbook is in an unusual encoding", field=part, allowed="parts in UTF-8")
    parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
    opened: list[tuple[str, int, Mapping[str, str]]] = []

    def begin(name: str, attributes: Mapping[str, str]) -> None:
        opened.append((name, parser.CurrentByteIndex, attributes))

    def end(_: str) -> None:
        name, at, attributes = opened.pop()
        namespace, _, local = name.rpartition(_SEPARATOR)
        see(
            Element(
                name=local,
                namespace=namespace,
                depth=len(opened),
                attributes=attributes,
                begin=at,
                inner_end=parser.CurrentByteIndex,
            )
        )

    def refuse(*_: object) -> None:
        raise InputError("the workbook declares a document type", field=part, allowed="an ordinary xlsx file")

    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise InputError(f"a part of the workbook is not XML: {error}", field=part, allowed="an xlsx file") from error


def whole_number(element: Element, name: str, default: int) -> int:
    """Return an attribute that is a whole number.

    Raises:
        InputError: It is something else.
    """
    text = element.attributes.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX):
        raise InputError(
            "a number of the workbook is none", field=f"{element.name}/{name}", value=text[:40], allowed="0, 1, 2, ..."
        )
    return int(text)


def edit_element(
    content: bytes,
    element: Element,
    *,
    attributes: Mapping[str, str | None] | None = None,
    children: Callable[[str], str] | None = None,
) -> list[Edit]:
    """Return the edits that change attributes of an element and put text at its end.

    Args:
        content: The part.
        element: Which one.
        attributes: New values of attributes it has, ``None`` takes one away; others are not added.
        children: Gives the text for the prefix the element is written with (empty, or a name and ``:``).
    """
    tag = _TAG.match(content, element.begin)
    assert tag is not None, "the parser saw a tag here"
    name, own = tag[1], tag[0]
    for key, value in (attributes or {}).items():
        found = re.search(rb"\s" + key.encode() + rb"\s*=\s*(?:\"[^\"]*\"|'[^']*')", own)
        if found is not None:
            new = b"" if value is None else f" {key}={quoteattr(value)}".encode()
            own = own[: found.start()] + new + own[found.end() :]
    prefix = name.decode().rpartition(":")[0]
    text = b"" if children is None else children(f"{prefix}:" if prefix else "").encode()
    if own.endswith(b"/>"):
        whole = own if not text else own[:-2].rstrip() + b">" + text + b"</" + name + b">"
        return [Edit(begin=tag.start(), end=tag.end(), content=whole)]
    edits = [Edit(begin=tag.start(), end=tag.end(), content=own)]
    return edits if not text else [*edits, Edit(begin=element.inner_end, end=element.inner_end, content=text)]


def apply(content: bytes, edits: Iterable[Edit]) -> bytes:
    """Return a part with edits made; they do not overlap."""
    pieces, at = [], 0
    for edit in sorted(edits, key=lambda edit: (edit.begin, edit.end)):
        assert edit.begin >= at, "edits overlap"
        pieces += [content[at : edit.begin], edit.content]
        at = edit.end
    return b"".join([*pieces, content[at:]])
