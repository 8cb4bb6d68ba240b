"""WordprocessingML of the templates: tables, rows, cells, paragraphs. Lengths are in twentieths of a point."""

from __future__ import annotations

from xml.sax.saxutils import escape

WIDTH = 9638  # twentieths of a point: A4 less 20 mm on either side
LABEL_WIDTH = 2110
_NUMBER_WIDTH = 250
_SHADE = "E7EDF3"
_PALE = '<w:shd w:val="clear" w:color="auto" w:fill="F6F8FA"/>'
HEI, SONG = "黑体", "宋体"


def draw_table(widths: list[int], rows: list[str]) -> str:
    """Return a bordered table of fixed widths (twentieths of a point)."""
    edges = "".join(
        f'<w:{edge} w:val="single" w:sz="{size}" w:space="0" w:color="404040"/>'
        for edge, size in (("top", 8), ("left", 8), ("bottom", 8), ("right", 8), ("insideH", 4), ("insideV", 4))
    )
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="{WIDTH}" w:type="dxa"/><w:jc w:val="center"/><w:tblBorders>{edges}'
        f'</w:tblBorders><w:tblLayout w:type="fixed"/></w:tblPr><w:tblGrid>{grid}</w:tblGrid>{"".join(rows)}</w:tbl>'
    )


def draw_row(cells: list[str], *, is_header: bool = False, is_dense: bool = False, is_parted: bool = False) -> str:
    """Return a row, parted over pages only where ``is_parted``; a header row is repeated on every page."""
    header = "<w:tblHeader/>" if is_header else ""
    whole = "" if is_parted else "<w:cantSplit/>"
    height = f'<w:trHeight w:val="{230 if is_dense else 300}" w:hRule="atLeast"/>'
    return f"<w:tr><w:trPr>{whole}{height}{header}</w:trPr>{''.join(cells)}</w:tr>"


def draw_title_row(title: str, span: int, *, no: str = "") -> str:
    """Return the shaded first row of a table."""
    text = draw_paragraph(title, font=HEI, size=20, before=10, after=10, keeps_next=True, no=no)
    cell = (
        f'<w:tc><w:tcPr><w:tcW w:w="{WIDTH}" w:type="dxa"/><w:gridSpan w:val="{span}"/>'
        f'<w:shd w:val="clear" w:color="auto" w:fill="{_SHADE}"/><w:vAlign w:val="center"/></w:tcPr>{text}</w:tc>'
    )
    return draw_row([cell], is_header=True)


def draw_label_cell(text: str, *, no: str, has_numbers: bool, keeps_next: bool) -> str:
    """Return a label; on a form with numbers it stands left, after its number and a tab."""
    if not has_numbers:
        return draw_cell(text, width=LABEL_WIDTH, is_label=True, keeps_next=keeps_next)
    flag = "<w:keepNext/>" if keeps_next else ""
    tab = f'<w:tabs><w:tab w:val="left" w:pos="{_NUMBER_WIDTH}"/></w:tabs>'
    number = draw_run(no, font=SONG, size=13)
    content = (
        f'<w:p><w:pPr>{flag}{tab}<w:spacing w:before="10" w:after="10"/><w:ind w:left="{_NUMBER_WIDTH}"'
        f' w:hanging="{_NUMBER_WIDTH}"/></w:pPr>{number}<w:r><w:tab/></w:r>{draw_run(text, font=SONG, size=18)}</w:p>'
    )
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{LABEL_WIDTH}" w:type="dxa"/>{_PALE}<w:vAlign w:val="center"/></w:tcPr>'
        f"{content}</w:tc>"
    )


def draw_cell(
    text: str,
    *,
    width: int,
    span: int = 1,
    is_label: bool = False,
    align: str = "",
    size: int = 18,
    keeps_next: bool = False,
) -> str:
    """Return a cell; a label is shaded and centred."""
    spanning = f'<w:gridSpan w:val="{span}"/>' if span > 1 else ""
    shade = _PALE if is_label else ""
    align = align or ("center" if is_label else "left")
    content = draw_paragraph(
        text,
        font=SONG,
        size=min(size, 18) if is_label else size,
        align=align,
        before=10,
        after=10,
        keeps_next=keeps_next,
    )
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{spanning}{shade}<w:vAlign w:val="center"/></w:tcPr>'
        f"{content}</w:tc>"
    )


def draw_paragraph(
    text: str,
    *,
    font: str | None = None,
    size: int = 21,
    align: str = "left",
    before: int = 0,
    after: int = 0,
    keeps_next: bool = False,
    no: str = "",
) -> str:
    """Return a paragraph; ``no`` stands small before the text."""
    flags = "<w:keepNext/>" if keeps_next else ""
    spacing = f'<w:spacing w:before="{before}" w:after="{after}"/>'
    number = draw_run(f"{no}　", font=font, size=13) if no else ""
    runs = number + draw_run(text, font=font, size=size)
    return f'<w:p><w:pPr>{flags}{spacing}<w:jc w:val="{align}"/></w:pPr>{runs}</w:p>'


def draw_run(text: str, *, font: str | None = None, size: int = 21) -> str:
    """Return a run of text; ``size`` in half points."""
    fonts = f'<w:rFonts w:eastAsia="{font}"/>' if font else ""
    return (
        f'<w:r><w:rPr>{fonts}<w:sz w:val="{size}"/><w:szCs w:val="{size}"/></w:rPr>'
        f'<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'
    )


def draw_page_field(name: str) -> str:
    """Return a field Word fills in: ``PAGE`` or ``NUMPAGES``."""
    return f'<w:fldSimple w:instr=" {name} ">{draw_run("1", size=16)}</w:fldSimple>'
