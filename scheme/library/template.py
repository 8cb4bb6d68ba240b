"""An empty project table to fill in, with what each column holds."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from gridmodel.errors import InputError
from scheme.library.columns import project_table
from scheme.publication.spreadsheet import Sheet, to_xlsx

ENDINGS = (".csv", ".xlsx")
_README = ("列", "必填", "单位", "允许", "示例", "说明")


def template_bytes(ending: str, works_stages: Sequence[str]) -> bytes:
    """Return the template as a file.

    Args:
        ending: ``.xlsx``: with the meaning of the columns (``README``) and an example; ``.csv``: the header alone.
        works_stages: ``reserve.works_stages``.
    """
    table = project_table(works_stages)
    columns = tuple(table.columns)
    if ending == ".csv":
        stream = io.StringIO(newline="")
        csv.writer(stream, lineterminator="\r\n").writerow(columns)
        # The byte-order mark makes spreadsheet programs read Chinese text as UTF-8.
        return stream.getvalue().encode("utf-8-sig")
    documented = tuple(
        (
            column.name,
            "是" if column.is_required else "",
            column.unit,
            column.allowed.replace("|", "、"),
            column.example,
            column.description,
        )
        for column in table.columns.values()
    )
    example = tuple(column.example or None for column in table.columns.values())
    sheets = [
        Sheet(title=table.name, columns=columns, rows=()),
        Sheet(title="README", columns=_README, rows=documented),
        Sheet(title="EXAMPLES", columns=columns, rows=(example,)),
    ]
    return to_xlsx(sheets)


def write_template(path: Path, works_stages: Sequence[str]) -> None:
    """Write the template.

    Raises:
        InputError: Another ending, the file exists, or it cannot be written.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise InputError("no template has this ending", file=path.name, allowed=", ".join(ENDINGS))
    try:
        with path.open("xb") as stream:
            stream.write(template_bytes(ending, works_stages))
    except FileExistsError as error:
        raise InputError("template would overwrite something", file=path.name, allowed="a new file") from error
    except OSError as error:
        raise InputError(f"template cannot be written: {error.strerror}", file=path.name) from error
