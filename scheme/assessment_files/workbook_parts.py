"""A workbook as its parts (OPC): the planner's file with columns and sheets added, everything else byte for byte."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Mapping, Sequence
from functools import partial
from xml.sax.saxutils import quoteattr

from gridmodel.errors import InputError
from scheme.assessment_files.sheet_xml import (
    COLUMNS_MAX,
    MAIN,
    Styles,
    cell_xml,
    column_name,
    column_number,
    sheet_xml,
)
from scheme.assessment_files.xml_splice import Edit, Element, apply, edit_element, scan, whole_number
from scheme.publication.spreadsheet import Cell, Sheet

EXPANDED_BYTES_MAX = 200 * 2**20
"""All parts together; they are held in memory."""
_TIME = (1980, 1, 1, 0, 0, 0)
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_WORKSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_TITLE_MAX = 31

Cells = Mapping[int, Sequence[tuple[Cell, int]]]
"""By row of the sheet, the first is 1: value and format of each cell added."""


class WorkbookParts:
    """One workbook at work.

    Args:
        content: The xlsx file.
        file: Its name, for messages.

    Raises:
        InputError: It is no workbook of the ordinary kind, or too large.
    """

    def __init__(self, content: bytes, file: str) -> None:
        self._file = file
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                names = [entry.filename for entry in archive.infolist()]
                if len(set(names)) < len(names):
                    raise self._refused("a part of the workbook stands twice")
                if sum(entry.file_size for entry in archive.infolist()) > EXPANDED_BYTES_MAX:
                    raise self._refused("the workbook is too large")
                self._parts = {name: archive.read(name) for name in names}
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
            raise self._refused(f"not a readable workbook: {error}") from error
        self._book = self._find_book()
        self._relations = posixpath.join(
            posixpath.dirname(self._book), "_rels", posixpath.basename(self._book) + ".rels"
        )
        self._sheets = self._elements(self._book, "sheet", depth=2)
        self._related = {
            found.attributes.get("Id", ""): found.attributes
            for found in self._elements(self._relations, "Relationship", depth=1)
        }

    def sheet_part(self, title: str) -> str:
        """Return the part of a sheet.

        Raises:
            InputError: There is no such sheet.
        """
        for sheet in self._sheets:
            if sheet.attributes.get("name") == title:
                relation = self._related.get(sheet.attributes.get(f"{_OFFICE} id", ""), {})
                part = self._resolved(relation.get("Target", ""))
                if part in self._parts:
                    return part
        raise self._refused("sheet is missing", title)

    def check(self, title: str) -> None:
        """Refuse a sheet nothing can be added to, before hours are spent on its projects.

        Raises:
            InputError: It is not of the ordinary kind.
        """
        part = self.sheet_part(title)
        roots: list[Element] = []
        scan(self._parts[part], part, lambda element: roots.append(element) if element.depth == 0 else None)
        if roots[0].namespace != MAIN:
            raise self._refused("the sheet is in another dialect", title)
        scan(self._parts[part], part, _SheetScan().see)
        self._last_sheet_id()

    def add_styles(self) -> Styles:
        """Add the formats of the cells added; the plain one for all where the workbook has none."""
        part = next(
            (
                self._resolved(relation.get("Target", ""))
                for relation in self._related.values()
                if relation.get("Type") == f"{_OFFICE}/styles"
            ),
            None,
        )
        if part is None or part not in self._parts:
            return Styles()
        fonts = self._append(part, "fonts", ('<{0}font><{0}b/><{0}sz val="11"/></{0}font>',))
        fill = '<{{0}}fill><{{0}}patternFill patternType="solid">'
        fill += '<{{0}}fgColor rgb="{color}"/></{{0}}patternFill></{{0}}fill>'
        fills = self._append(part, "fills", (fill.format(color="FFE7EDF3"), fill.format(color="FFFBE3D6")))
        if fonts is None or fills is None:
            return Styles()
        plain = '<{{0}}xf numFmtId="{number}" fontId="{font}" fillId="{fill}" borderId="0" xfId="0"{more}/>'
        wrapped = '<{{0}}xf numFmtId="49" fontId="{font}" fillId="{fill}" borderId="0" xfId="0"{more}>'
        wrapped += '<{{0}}alignment vertical="top" wrapText="1"/></{{0}}xf>'
        known = ' applyFont="1" applyFill="1" applyNumberFormat="1"'
        formats = self._append(
            part,
            "cellXfs",
            (
                wrapped.format(font=fonts, fill=fills, more=known + ' applyAlignment="1"'),
                plain.format(number=49, font=0, fill=0, more=' applyNumberFormat="1" quotePrefix="1"'),
                plain.format(number=4, font=0, fill=0, more=' applyNumberFormat="1"'),
                plain.format(number=1, font=0, fill=0, more=' applyNumberFormat="1"'),
                plain.format(number=49, font=0, fill=fills + 1, more=known + ' quotePrefix="1"'),
            ),
        )
        if formats is None:
            return Styles()
        return Styles(head=formats, text=formats + 1, number=formats + 2, count=formats + 3, fault=formats + 4)

    def append_columns(self, title: str, cells: Cells, widths: Sequence[int]) -> None:
        """Put cells behind the last column of a sheet.

        Args:
            title: The sheet.
            cells: What is added; rows the sheet does not have are left out.
            widths: Of the columns added, in characters.

        Raises:
            InputError: There is no room for more columns.
        """
        part = self.sheet_part(title)
        content, sheet = self._parts[part], _SheetScan()
        scan(content, part, sheet.see)
        first = max(sheet.column_max, 0) + 1
        if first + len(widths) > COLUMNS_MAX:
            raise self._refused("the sheet has no room for more columns", title)
        edits: list[Edit] = []
        for row_no, row in sheet.rows:
            if row_no in cells:
                made = partial(_row_xml, row_no, first, cells[row_no])
                edits += edit_element(content, row, attributes={"spans": None}, children=made)
        edits += _width_edits(content, sheet, first, widths)
        if sheet.dimension is not None and sheet.rows:
            whole = f"A1:{column_name(first + len(widths) - 1)}{max(row_no for row_no, _ in sheet.rows)}"
            edits += edit_element(content, sheet.dimension, attributes={"ref": whole})
        self._parts[part] = apply(content, edits)

    def add_sheet(self, sheet: Sheet, styles: Styles) -> None:
        """Add a sheet behind the others; where its title is taken, under the title with a number."""
        number = 1 + self._last_sheet_id()
        relation, part = self._free_names()
        self._parts[part] = sheet_xml(sheet, styles).encode()
        target = posixpath.relpath(part, posixpath.dirname(self._book) or ".")
        title = quoteattr(self._free_title(sheet.title))
        book = f'<{{0}}sheet xmlns:gs="{_OFFICE}" name={title} sheetId="{number}" gs:id="{relation}"/>'
        self._append(self._book, "sheets", (book,))
        related = f'<{{0}}Relationship Id="{relation}" Type="{_OFFICE}/worksheet" Target="{target}"/>'
        self._append(self._relations, "Relationships", (related,))
        typed = f'<{{0}}Override PartName="/{part}" ContentType="{_WORKSHEET}"/>'
        self._append("[Content_Types].xml", "Types", (typed,))
        self._sheets = self._elements(self._book, "sheet", depth=2)
        self._related[relation] = {"Id": relation, "Target": target}

    def to_bytes(self) -> bytes:
        """Return the workbook."""
        return pack(self._parts)

    def _append(self, part: str, container: str, templates: Sequence[str]) -> int | None:
        """Put elements into a container and return the place of the first; ``None`` where there is no container."""
        found: list[Element] = []
        counts: dict[int, int] = {}

        def see(element: Element) -> None:
            if element.name == container and element.depth <= 1:
                found.append(element)
                counts[element.begin] = inner.pop(element.depth + 1, 0)
            inner[element.depth] = inner.get(element.depth, 0) + 1
            inner.pop(element.depth + 1, None)

        inner: dict[int, int] = {}
        content = self._parts[part]
        scan(content, part, see)
        if not found:
            return None
        count = counts[found[0].begin]
        edits = edit_element(
            content,
            found[0],
            attributes={"count": str(count + len(templates))},
            children=lambda prefix: "".join(template.format(prefix) for template in templates),
        )
        self._parts[part] = apply(content, edits)
        return count

    def _last_sheet_id(self) -> int:
        return max((whole_number(sheet, "sheetId", 0) for sheet in self._sheets), default=0)

    def _find_book(self) -> str:
        relations = self._elements("_rels/.rels", "Relationship", depth=1)
        for relation in relations:
            if relation.attributes.get("Type") == f"{_OFFICE}/officeDocument":
                part = relation.attributes.get("Target", "").lstrip("/")
                if part in self._parts:
                    return part
        raise self._refused("the workbook is in another dialect")

    def _elements(self, part: str, name: str, *, depth: int) -> list[Element]:
        if part not in self._parts:
            raise self._refused(f"the workbook has no part {part}")
        found: list[Element] = []
        scan(
            self._parts[part],
            part,
            lambda element: found.append(element) if (element.name, element.depth) == (name, depth) else None,
        )
        return found

    def _resolved(self, target: str) -> str:
        if target.startswith("/"):
            return target.lstrip("/")
        return posixpath.normpath(posixpath.join(posixpath.dirname(self._book), target))

    def _free_names(self) -> tuple[str, str]:
        folder = posixpath.join(posixpath.dirname(self._book), "worksheets")
        number = 1
        while f"rIdAssessment{number}" in self._related or f"{folder}/assessment{number}.xml" in self._parts:
            number += 1
        return f"rIdAssessment{number}", f"{folder}/assessment{number}.xml"

    def _free_title(self, title: str) -> str:
        taken = {sheet.attributes.get("name", "").casefold() for sheet in self._sheets}
        shown, number = title[:_TITLE_MAX], 1
        while shown.casefold() in taken:
            number += 1
            shown = f"{title[: _TITLE_MAX - 4]}({number})"
        return shown

    def _refused(self, problem: str, field: str | None = None) -> InputError:
        return InputError(problem, file=self._file, field=field, allowed="an xlsx file as spreadsheet programs save it")


class _SheetScan:
    """What of a sheet has to be known to add columns."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, Element]] = []
        self.column_max = 0
        self.widths: Element | None = None
        self.width_column_max = 0
        self.dimension: Element | None = None
        self.data: Element | None = None
        self._column = 0

    def see(self, element: Element) -> None:
        """Note one element; cells come before their row."""
        if element.name == "c" and element.depth == 3:
            self._column = column_number(element.attributes.get("r", "")) or self._column + 1
            self.column_max = max(self.column_max, self._column)
        elif element.name == "row" and element.depth == 2:
            before = self.rows[-1][0] if self.rows else 0
            self.rows.append((whole_number(element, "r", before + 1), element))
            self._column = 0
        elif element.name == "col" and element.depth == 2:
            self.width_column_max = max(self.width_column_max, whole_number(element, "max", 0))
        elif element.depth == 1 and element.name == "cols":
            self.widths = element
        elif element.depth == 1 and element.name == "dimension":
            self.dimension = element
        elif element.depth == 1 and element.name == "sheetData":
            self.data = element


def _row_xml(row_no: int, first: int, cells: Sequence[tuple[Cell, int]], prefix: str) -> str:
    return "".join(
        cell_xml(row_no, column_no, value, style, prefix=prefix)
        for column_no, (value, style) in enumerate(cells, start=first)
    )


def _width_edits(content: bytes, sheet: _SheetScan, first: int, widths: Sequence[int]) -> list[Edit]:
    """Return the edits that give the columns added their widths; columns that have one keep it."""
    wanted = [(number, width) for number, width in enumerate(widths, start=first) if number > sheet.width_column_max]

    def made(prefix: str) -> str:
        return "".join(
            f'<{prefix}col min="{number}" max="{number}" width="{width}" customWidth="1"/>' for number, width in wanted
        )

    if not wanted or sheet.data is None:
        return []
    if sheet.widths is not None:
        return edit_element(content, sheet.widths, children=made)
    start = content[sheet.data.begin : sheet.data.begin + 40].split(b"sheetData", 1)[0][1:].decode()
    whole = f"<{start}cols>{made(start)}</{start}cols>".encode()
    return [Edit(begin=sheet.data.begin, end=sheet.data.begin, content=whole)]


def pack(parts: Mapping[str, bytes]) -> bytes:
    """Return parts as a file, in their order and with one time on all of them."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return target.getvalue()
