"""The editable reply (docx): the only module that imports docxtpl and python-docx.

A template is code (Jinja inside Word), and whoever may edit one must not get further than the texts of the payload:
rendering is sandboxed, escaped, strict about names, and given nothing but texts and lists of texts. Pictures are put in
afterwards at bookmarks, which no text can forge.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from pathlib import Path

from scheme.document.build_templates import pack, template_path
from scheme.document.layout import Figure, FigureName, Layout
from scheme.document.tables import Payload

PICTURE_WIDTH_MM = 170.0


def render_word(
    payload: Payload,
    *,
    layout: Layout,
    pictures: Mapping[FigureName, bytes],
    as_of: datetime,
    template: Path | BytesIO | None = None,
) -> bytes:
    """Return the reply as a Word document; same payload and pictures, same bytes.

    Args:
        payload: Texts to fill in.
        layout: Form to use; names the built-in template and the pictures.
        pictures: PNG bytes by figure name.
        as_of: Time written into the document's properties.
        template: A utility's own template instead of the built-in one.

    Raises:
        jinja2.UndefinedError: The template names a key the payload does not have.
        jinja2.exceptions.SecurityError: The template tries to reach beyond the payload.
    """
    from docxtpl import DocxTemplate
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    document = DocxTemplate(template or template_path(layout))
    environment = SandboxedEnvironment(autoescape=True, undefined=StrictUndefined)
    document.render(dict(payload), jinja_env=environment, autoescape=True)
    for section in layout.sections:
        if isinstance(section, Figure):
            _place_picture(document.docx, section, pictures[section.name])
    properties = document.docx.core_properties
    properties.author = properties.last_modified_by = ""
    properties.title = layout.title
    properties.created = properties.modified = as_of
    properties.revision = 1
    target = BytesIO()
    document.save(target)
    return _with_fixed_times(target.getvalue())


def _place_picture(document: object, figure: Figure, png: bytes) -> None:
    from docx.document import Document
    from docx.oxml.ns import qn
    from docx.shared import Mm
    from docx.text.paragraph import Paragraph

    assert isinstance(document, Document)
    for mark in document.element.body.iter(qn("w:bookmarkStart")):
        if mark.get(qn("w:name")) == f"figure_{figure.name}":
            run = Paragraph(mark.getparent(), document._body).add_run()
            inline = run.add_picture(BytesIO(png), width=Mm(PICTURE_WIDTH_MM))._inline
            for edge in ("distT", "distB", "distL", "distR"):  # left out, some programs put a distance of their own
                inline.set(edge, "0")
            inline.docPr.set("descr", figure.title)


def _with_fixed_times(content: bytes) -> bytes:
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return pack({name: archive.read(name) for name in archive.namelist()})
