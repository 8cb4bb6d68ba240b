"""Parts of a form as WordprocessingML with the Jinja statements that fill them: what a Word template is made of."""

from __future__ import annotations

from scheme.document.layout import (
    COMPARED_MAX,
    FIGURES,
    PARALLEL_MAX,
    Comparison,
    Figure,
    Form,
    Grid,
    Heading,
    Section,
    Signature,
    form_lines,
)
from scheme.document.wording import NOT_APPLICABLE
from scheme.document.wordml import (
    HEI,
    LABEL_WIDTH,
    SONG,
    WIDTH,
    draw_cell,
    draw_label_cell,
    draw_paragraph,
    draw_row,
    draw_run,
    draw_table,
    draw_title_row,
)

_WHOLE_LINES_MAX = 7
"""Forms up to this many lines stay on one page."""
_NONE = f'"{NOT_APPLICABLE}"'
_BOOKMARKS = {name: place for place, name in enumerate(FIGURES, start=1)}


def draw_section(section: Section) -> str:
    """Return a part of a form as WordprocessingML with the Jinja statements that fill it."""
    if isinstance(section, Form):
        return _form(section)
    if isinstance(section, Grid):
        return _grid(section)
    if isinstance(section, Comparison):
        return _comparison(section)
    if isinstance(section, Figure):
        return _shown_if(section.shown_if, _figure(section))
    if isinstance(section, Heading):
        title = draw_paragraph(section.title, font=HEI, size=28, before=120, after=120, keeps_next=True)
        return _shown_if(section.shown_if, title)
    return _signature(section)


def _shown_if(key: str | None, content: str) -> str:
    return content if key is None else f"{_tag(f'if {key}')}{content}{_tag('endif')}"


def _form(form: Form) -> str:
    if not form.repeat:
        gap = _gap(keeps_next=form.is_kept_with_next)
        return _shown_if(form.shown_if, _one_form(form, form.title, prefix="") + gap)
    count = f"{form.repeat}|length"
    each = _one_form(form, f"{form.title}　{{{{ row.title }}}}", prefix="row.") + _gap()
    parts = [
        _shown_if(f"{count} == {columns}", _parallel_form(form, columns) + _gap())
        for columns in range(2, PARALLEL_MAX + 1)
    ]
    apart = f"{_tag(f'for row in {form.repeat}')}{each}{_tag('endfor')}"
    return "".join(parts) + _shown_if(f"{count} < 2 or {count} > {PARALLEL_MAX}", apart)


def _one_form(form: Form, title: str, *, prefix: str) -> str:
    value_width = (WIDTH - 2 * LABEL_WIDTH) // 2
    widths = [LABEL_WIDTH, value_width, LABEL_WIDTH, WIDTH - 2 * LABEL_WIDTH - value_width]
    rows = [draw_title_row(title, 4)]
    has_numbers = any(field.no for field in form.fields)
    lines = form_lines(form.fields)
    for place, line in enumerate(lines, start=1):
        cells = []
        is_whole = place < len(lines) <= _WHOLE_LINES_MAX or form.is_kept_with_next
        keeps_next = is_whole or place == len(lines) - 1  # no last line alone on a page
        for field in line:
            span = 1 if len(line) == 2 else 3
            width = widths[1] if span == 1 else WIDTH - LABEL_WIDTH
            cells.append(draw_label_cell(field.label, no=field.no, has_numbers=has_numbers, keeps_next=keeps_next))
            cells.append(draw_cell(f"{{{{ {prefix}{field.key} }}}}", width=width, span=span, keeps_next=keeps_next))
        row = draw_row(cells)
        if line[0].is_optional:
            row = f"{_row_tag(f'if {prefix}{line[0].key} != {_NONE}', 4)}{row}{_row_tag('endif', 4)}"
        rows.append(row)
    return draw_table(widths, rows)


def _parallel_form(form: Form, count: int) -> str:
    """Return the rows of a repeated form side by side, a column each."""
    width = (WIDTH - LABEL_WIDTH) // count
    widths = [WIDTH - count * width, *[width] * count]
    has_numbers = any(field.no for field in form.fields)
    titles = [
        draw_cell(f"{{{{ {form.repeat}[{place}].title }}}}", width=width, is_label=True, keeps_next=True)
        for place in range(count)
    ]
    rows = [
        draw_title_row(form.title, count + 1),
        draw_row([draw_cell("", width=widths[0], is_label=True, keeps_next=True), *titles], is_header=True),
    ]
    for field in form.fields:
        cells = [draw_label_cell(field.label, no=field.no, has_numbers=has_numbers, keeps_next=False)]
        cells += [draw_cell(f"{{{{ {form.repeat}[{place}].{field.key} }}}}", width=width) for place in range(count)]
        rows.append(draw_row(cells))
    return draw_table(widths, rows)


def _grid(grid: Grid) -> str:
    share = sum(column.share for column in grid.columns)
    widths = [int(WIDTH * column.share / share) for column in grid.columns]
    widths[-1] += WIDTH - sum(widths)
    size = 15 if grid.is_dense else 17
    header = [
        draw_cell(c.label, width=w, is_label=True, size=size, keeps_next=True)
        for c, w in zip(grid.columns, widths, strict=True)
    ]
    cells = [
        draw_cell(f"{{{{ row.{c.key} }}}}", width=w, align=c.align, size=size, keeps_next=grid.is_kept_with_next)
        for c, w in zip(grid.columns, widths, strict=True)
    ]
    count = len(widths)
    rows = [
        draw_title_row(grid.title, count, no=grid.no),
        *([draw_row(header, is_header=True)] if grid.has_head and not grid.is_run_in else []),
        _row_tag(f"for row in {grid.rows}", count),
        draw_row([_run_in(grid)], is_dense=True, is_parted=True)
        if grid.is_run_in
        else draw_row(cells, is_dense=grid.is_dense),
        _row_tag("endfor", count),
    ]
    whole = draw_table(widths, rows) + _note(grid.note) + _gap(keeps_next=grid.is_kept_with_next)
    return _shown_if(grid.rows if grid.is_optional else None, whole)


def _run_in(grid: Grid) -> str:
    """Return the columns of a row as one text across the page, the first as its heading."""
    first, *others = grid.columns
    runs = [draw_run(f"{{{{ row.{first.key} }}}}", font=HEI, size=14)]
    runs += [draw_run(f"　{{{{ row.{column.key} }}}}", font=SONG, size=14) for column in others]
    span = f'<w:tcPr><w:tcW w:w="{WIDTH}" w:type="dxa"/><w:gridSpan w:val="{len(grid.columns)}"/></w:tcPr>'
    return f"<w:tc>{span}<w:p>{''.join(runs)}</w:p></w:tc>"


def _note(key: str | None) -> str:
    return "" if key is None else _shown_if(key, draw_paragraph(f"注：{{{{ {key} }}}}", font=SONG, size=18))


def _comparison(comparison: Comparison) -> str:
    """Return one table for every possible count of variants; rendering keeps the one that fits."""
    tables = [
        _shown_if(f'{comparison.count} == "{count}"', _compared(comparison, count) + _note(comparison.note) + _gap())
        for count in range(1, COMPARED_MAX + 1)
    ]
    return "".join(tables)


def _compared(comparison: Comparison, count: int) -> str:
    first = 1480
    widths = [first, *[(WIDTH - first) // count] * count]
    widths[-1] += WIDTH - sum(widths)
    keys = [f"v{place}" for place in range(1, count + 1)]
    titles = [draw_cell(f"{{{{ {comparison.head}[0].label }}}}", width=widths[0], is_label=True)]
    titles += [
        draw_cell(f"{{{{ {comparison.head}[0].{key} }}}}", width=w, is_label=True)
        for key, w in zip(keys, widths[1:], strict=True)
    ]
    cells = [draw_cell("{{ row.label }}", width=first, is_label=True, align="left", size=15, keeps_next=True)]
    cells += [
        draw_cell(f"{{{{ row.{key} }}}}", width=w, align="center", size=15, keeps_next=True)
        for key, w in zip(keys, widths[1:], strict=True)
    ]
    title = [
        draw_cell("{{ row.label }}", width=WIDTH, span=count + 1, is_label=True, align="left", size=15, keeps_next=True)
    ]
    rows = [
        draw_title_row(comparison.title, count + 1),
        draw_row(titles, is_header=True),
        _row_tag(f"for row in {comparison.rows}", count + 1),
        _row_tag("if row.kind", count + 1),
        draw_row(title, is_dense=True),
        _row_tag("else", count + 1),
        draw_row(cells, is_dense=True),
        _row_tag("endif", count + 1),
        _row_tag("endfor", count + 1),
    ]
    return draw_table(widths, rows)


def _figure(figure: Figure) -> str:
    mark = f'<w:bookmarkStart w:id="{_BOOKMARKS[figure.name]}" w:name="figure_{figure.name}"/>'
    end = f'<w:bookmarkEnd w:id="{_BOOKMARKS[figure.name]}"/>'
    place = f'<w:p><w:pPr><w:jc w:val="center"/></w:pPr>{mark}{end}</w:p>'
    title = draw_paragraph(figure.title, font=HEI, size=24, before=120, after=60, keeps_next=True, no=figure.no)
    return title + place


def _signature(signature: Signature) -> str:
    width = WIDTH // len(signature.parties)
    cells = [_tall_cell(lines, width=width) for lines in signature.parties]
    rows = [draw_title_row(signature.title, len(cells), no=signature.no), draw_row(cells)]
    return draw_table([width] * len(cells), rows) + _gap()


def _tall_cell(lines: tuple[str, ...], *, width: int) -> str:
    paragraphs = "".join(draw_paragraph(line, font=SONG, size=20, after=260) for line in lines)
    return f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr>{paragraphs}</w:tc>'


def _tag(statement: str) -> str:
    """Return a Jinja statement in a paragraph of its own, which rendering removes."""
    return draw_paragraph(f"{{%p {statement} %}}")


def _row_tag(statement: str, span: int) -> str:
    """Return a Jinja statement in a row of its own, which rendering removes."""
    return draw_row([draw_cell(f"{{%tr {statement} %}}", width=WIDTH, span=span)])


def _gap(*, keeps_next: bool = False) -> str:
    flag = "<w:keepNext/>" if keeps_next else ""
    return f'<w:p><w:pPr>{flag}<w:spacing w:before="0" w:after="0" w:line="120" w:lineRule="exact"/></w:pPr></w:p>'
