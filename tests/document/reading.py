"""Reads documents back, so that what a customer sees can be compared with the record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO

import pypdfium2
from docx import Document

from scheme.document.glyphs import replace_missing
from scheme.document.tables import Payload

_INVISIBLE = re.compile(r"[\s\u200b\u00ad\ufffe\ufeff\u0002]+")


def squeezed(text: str) -> str:
    """Text without blanks, line breaks and break hints."""
    return _INVISIBLE.sub("", text)


def word_text(content: bytes) -> str:
    document = Document(BytesIO(content))
    margins = [part._element for s in document.sections for part in (s.header, s.footer)]
    parts = [document.element.body, *margins]
    return squeezed("".join(node.text or "" for part in parts for node in part.iter() if node.tag.endswith("}t")))


def pdf_text(content: bytes) -> str:
    with pypdfium2.PdfDocument(content) as document:
        return squeezed("".join(page.get_textpage().get_text_bounded() for page in document))


def pdf_page_count(content: bytes) -> int:
    with pypdfium2.PdfDocument(content) as document:
        return len(document)


def printed_texts(payload: Payload, keys: set[str]) -> Iterator[tuple[str, str]]:
    """Every key and text of the payload below the keys a layout prints."""
    for key in sorted(keys):
        value = payload[key]
        if isinstance(value, str):
            yield key, value
        else:
            for row in value:
                yield from ((f"{key}.{name}", text) for name, text in row.items())


def drawable(text: str) -> str:
    return squeezed(replace_missing(text)[0])
