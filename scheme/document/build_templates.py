"""Builds the Word templates of the reply forms from their layouts: ``python -m scheme.document.build_templates``.

WordprocessingML is written directly, so the same layout gives the same parts. A utility may edit a built template in
Word (fonts, wording, order); what it may not do is run code: rendering is sandboxed, see ``word.py``.
"""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

from scheme.document.forms import LAYOUTS
from scheme.document.layout import Layout
from scheme.document.template_sections import draw_section
from scheme.document.wordml import (
    HEI,
    SONG,
    draw_page_field,
    draw_paragraph,
    draw_run,
)

TEMPLATES = Path(__file__).parent / "templates"
ZIP_TIME = (1980, 1, 1, 0, 0, 0)

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def template_path(layout: Layout) -> Path:
    """Return where the built template of a form's version lies."""
    return TEMPLATES / layout.id / f"{layout.version}.docx"


def build_template(layout: Layout) -> bytes:
    """Return the Word template of one layout."""
    package = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    word = "application/vnd.openxmlformats-officedocument.wordprocessingml"
    parts = {
        "[Content_Types].xml": f'{_HEAD}<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{word}.document.main+xml"/>'
        f'<Override PartName="/word/styles.xml" ContentType="{word}.styles+xml"/>'
        f'<Override PartName="/word/settings.xml" ContentType="{word}.settings+xml"/>'
        f'<Override PartName="/word/header1.xml" ContentType="{word}.header+xml"/>'
        f'<Override PartName="/word/footer1.xml" ContentType="{word}.footer+xml"/>'
        '<Override PartName="/docProps/core.xml"'
        ' ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>',
        "_rels/.rels": f'{_HEAD}<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{office}/officeDocument" Target="word/document.xml"/>'
        f'<Relationship Id="rId2" Type="{package}/relationships/metadata/core-properties"'
        ' Target="docProps/core.xml"/></Relationships>',
        "word/_rels/document.xml.rels": f'{_HEAD}<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{office}/styles" Target="styles.xml"/>'
        f'<Relationship Id="rId2" Type="{office}/settings" Target="settings.xml"/>'
        f'<Relationship Id="rId3" Type="{office}/header" Target="header1.xml"/>'
        f'<Relationship Id="rId4" Type="{office}/footer" Target="footer1.xml"/></Relationships>',
        "docProps/core.xml": f'{_HEAD}<cp:coreProperties xmlns:cp="{package}/metadata/core-properties"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
        f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:title>{layout.title}</dc:title>'
        "<dc:language>zh-CN</dc:language></cp:coreProperties>",
        "word/styles.xml": _styles(),
        "word/settings.xml": f'{_HEAD}<w:settings xmlns:w="{_W}"><w:themeFontLang w:val="en-US" w:eastAsia="zh-CN"/>'
        '<w:compat><w:compatSetting w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word"'
        ' w:val="15"/></w:compat></w:settings>',
        "word/header1.xml": f'{_HEAD}<w:hdr xmlns:w="{_W}">'
        + draw_paragraph(f"{layout.title}　方案编号：{{{{ scheme_id }}}}", size=16, align="right")
        + "</w:hdr>",
        "word/footer1.xml": f'{_HEAD}<w:ftr xmlns:w="{_W}"><w:p><w:pPr><w:jc w:val="center"/></w:pPr>'
        f"{draw_run(f'模板版本：{layout.version}　　第 ', size=16)}{draw_page_field('PAGE')}"
        f"{draw_run(' 页　共 ', size=16)}{draw_page_field('NUMPAGES')}{draw_run(' 页', size=16)}</w:p></w:ftr>",
        "word/document.xml": _document(layout),
    }
    return pack({name: content.encode() for name, content in parts.items()})


def pack(parts: dict[str, bytes]) -> bytes:
    """Return a zip of ``parts`` in their order, with a fixed time on every entry."""
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return target.getvalue()


def _styles() -> str:
    fonts = '<w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman" w:cs="Times New Roman" w:eastAsia="仿宋"/>'
    language = '<w:lang w:val="en-US" w:eastAsia="zh-CN" w:bidi="ar-SA"/>'
    return (
        f'{_HEAD}<w:styles xmlns:w="{_W}"><w:docDefaults><w:rPrDefault><w:rPr>{fonts}<w:sz w:val="21"/>'
        f'<w:szCs w:val="21"/>{language}</w:rPr></w:rPrDefault><w:pPrDefault/></w:docDefaults>'
        '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style>'
        '<w:style w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/><w:tblPr>'
        '<w:tblInd w:w="0" w:type="dxa"/><w:tblCellMar><w:left w:w="60" w:type="dxa"/><w:right w:w="60" w:type="dxa"/>'
        "</w:tblCellMar></w:tblPr></w:style></w:styles>"
    )


def _document(layout: Layout) -> str:
    body = [
        draw_paragraph(layout.title, font=HEI, size=36, align="center", after=80),
        draw_paragraph(layout.basis, font=SONG, size=17, align="center", after=160),
    ]
    body += [draw_section(section) for section in layout.sections]
    page = (
        '<w:sectPr><w:headerReference w:type="default" r:id="rId3"/><w:footerReference w:type="default" r:id="rId4"/>'
        '<w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1134" w:right="1134" w:bottom="964" w:left="1134"'
        ' w:header="624" w:footer="510" w:gutter="0"/></w:sectPr>'
    )
    return f'{_HEAD}<w:document xmlns:w="{_W}" xmlns:r="{_R}"><w:body>{"".join(body)}{page}</w:body></w:document>'


def main() -> None:
    """Write every template to its folder."""
    for layout in (version for versions in LAYOUTS.values() for version in versions):
        path = template_path(layout)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(build_template(layout))


if __name__ == "__main__":
    main()
