"""Load profiles (负荷曲线): what share of its value every load draws in each hour, by kind of load."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gridmodel.errors import InputError
from gridmodel.net import Net

Floats = npt.NDArray[np.float64]

TIME_COLUMN = "time"
STEP_COLUMN = "step"
P_ENDING = "_pload"
Q_ENDING = "_qload"
GENERATION_ENDING = "_pgen"


@dataclass(frozen=True, eq=False, kw_only=True)
class LoadProfiles:
    """Multipliers of active and reactive power, one row per hour, one column per profile.

    Load and generation profiles are kept apart: the same name may stand for an area's loads and for its generators.

    Raises:
        InputError: Labels repeat, shapes differ, or a multiplier is not a finite number.
    """

    hours: tuple[str, ...]
    """Label of each hour, for instance its local time; any step length, each label once."""
    names: tuple[str, ...]
    p: Floats
    """Share of ``p_mw``, shape (hours, profiles)."""
    q: Floats
    """Share of ``q_mvar``, shape (hours, profiles)."""
    generation_names: tuple[str, ...] = ()
    generation: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    """Share of ``p_mw`` and ``q_mvar`` of static generators, shape (hours, generation profiles)."""

    def __post_init__(self) -> None:
        for name, labels in (("hours", self.hours), ("names", self.names)):
            _check_labels(name, labels)
        self._check_values("p", self.p, self.names)
        self._check_values("q", self.q, self.names)
        if self.generation_names:
            _check_labels("generation_names", self.generation_names)
            self._check_values("generation", self.generation, self.generation_names)

    def _check_values(self, name: str, values: Floats, profiles: tuple[str, ...]) -> None:
        shape = (len(self.hours), len(profiles))
        if values.shape != shape:
            raise InputError("wrong shape", field=name, value=values.shape, allowed=str(shape))
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            hour, column = bad[0]
            problem = f"multiplier of profile {profiles[column]} is not a number"
            row, value = self.hours[hour], values[hour, column]
            raise InputError(problem, row=row, field=name, value=value, allowed="a finite number")

    @cached_property
    def p_all(self) -> Floats:
        """Multipliers of ``p_mw`` by load profiles, then by generation profiles; shape (hours, all profiles)."""
        return np.hstack([self.p, self.generation]) if self.generation_names else self.p

    @cached_property
    def q_all(self) -> Floats:
        """The same of ``q_mvar``."""
        return np.hstack([self.q, self.generation]) if self.generation_names else self.q

    def rows_of(self, hours: Sequence[str] | None) -> list[int]:
        """Return the row of each hour asked for, in their order; None asks for all.

        Raises:
            InputError: An hour is not there, is asked for twice, or none is asked for.
        """
        if hours is None:
            return list(range(len(self.hours)))
        _check_labels("hours", tuple(hours))
        row_of = {label: row for row, label in enumerate(self.hours)}
        unknown = [label for label in hours if label not in row_of]
        if unknown:
            raise InputError("hour is not in the profiles", field="hours", value=unknown[0], allowed="their labels")
        return [row_of[label] for label in hours]


def _check_labels(field: str, labels: tuple[str, ...]) -> None:
    if not labels:
        raise InputError("is empty", field=field, allowed="at least one")
    label, count = Counter(labels).most_common(1)[0]
    if count > 1:
        raise InputError("stands more than once", field=field, value=label, allowed="each label once")


def read_profiles(path: Path) -> LoadProfiles:
    """Read profiles from a CSV file in UTF-8: ``time``, then ``<profile>_pload`` and ``<profile>_qload`` of each.

    Columns ``<profile>_pgen`` are for static generators. A column ``step`` (a running number) is passed over.

    Raises:
        InputError: The file is not such a table.
    """
    file = path.name
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError("cannot be read", file=file) from error
    except UnicodeDecodeError as error:
        raise InputError("is not UTF-8", file=file, row=f"byte {error.start}", allowed="UTF-8") from error
    try:
        header, *rows = csv.reader(text.splitlines(), strict=True)
    except (csv.Error, ValueError) as error:
        raise InputError("is not a CSV table", file=file, allowed="a header and one row per hour") from error
    names, generation_names = _profile_names(header, file)
    columns = [header.index(name + ending) for ending in (P_ENDING, Q_ENDING) for name in names]
    columns += [header.index(name + GENERATION_ENDING) for name in generation_names]
    values = np.empty((len(rows), len(columns)))
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise InputError("wrong number of cells", file=file, row=number, value=len(row), allowed=str(len(header)))
        values[number - 1] = [_multiplier(row[at], file, number, header[at]) for at in columns]
    labels = _labels([row[header.index(TIME_COLUMN)].strip() for row in rows], file)
    p, q, generation = np.split(values, [len(names), 2 * len(names)], axis=1)
    return LoadProfiles(hours=labels, names=names, p=p, q=q, generation_names=generation_names, generation=generation)


def _profile_names(header: list[str], file: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the load profiles and the generation profiles."""
    column, count = Counter(header).most_common(1)[0] if header else ("", 0)
    if count > 1:
        raise InputError("column stands more than once", file=file, field=column)
    if TIME_COLUMN not in header:
        raise InputError("column is missing", file=file, field=TIME_COLUMN)
    names: dict[str, None] = {}
    generation_names = []
    for column in header:
        if column in (TIME_COLUMN, STEP_COLUMN):
            continue
        if column.endswith(GENERATION_ENDING) and column != GENERATION_ENDING:
            generation_names.append(column.removesuffix(GENERATION_ENDING))
            continue
        name = column.removesuffix(P_ENDING).removesuffix(Q_ENDING)
        if name in ("", column):
            allowed = (
                f"{TIME_COLUMN}, {STEP_COLUMN}, <profile>{P_ENDING}, <profile>{Q_ENDING}, <profile>{GENERATION_ENDING}"
            )
            raise InputError("unknown column", file=file, field=column, allowed=allowed)
        names[name] = None
    for name in names:
        for ending in (P_ENDING, Q_ENDING):
            if name + ending not in header:
                raise InputError("column is missing", file=file, field=name + ending)
    if not names:
        raise InputError("no profile", file=file, allowed=f"columns <profile>{P_ENDING} and <profile>{Q_ENDING}")
    return tuple(names), tuple(generation_names)


def _labels(labels: list[str], file: str) -> tuple[str, ...]:
    if not labels:
        raise InputError("no hour", file=file, allowed="one row per hour")
    first_row: dict[str, int] = {}
    for number, label in enumerate(labels, start=1):
        if not label:
            raise InputError("is empty", file=file, row=number, field=TIME_COLUMN)
        if first_row.setdefault(label, number) != number:
            raise InputError(
                f"stands in row {first_row[label]} already", file=file, row=number, field=TIME_COLUMN, value=label
            )
    return tuple(labels)


def _multiplier(text: str, file: str, row: int, field: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError("not a number", file=file, row=row, field=field, value=text, allowed="a finite number")
    return value


@dataclass(frozen=True, eq=False, kw_only=True)
class ProfiledElements:
    """Loads or static generators of one net and the profile each follows; arrays in table order."""

    p_mw: Floats
    """As given, at multiplier 1."""
    q_mvar: Floats
    column: npt.NDArray[np.int64]
    """Column of its profile among all, -1 = follows none and keeps its value."""

    def at(self, profiles: LoadProfiles, hour: int) -> tuple[Floats, Floats]:
        """Return active (MW) and reactive power (Mvar) in one hour."""
        follows = self.column >= 0
        p = np.where(follows, profiles.p_all[hour][self.column], 1.0)
        q = np.where(follows, profiles.q_all[hour][self.column], 1.0)
        return self.p_mw * p, self.q_mvar * q


@dataclass(frozen=True, eq=False, kw_only=True)
class ScaledLoads:
    """Consumption of every load and injection of every static generator in one hour, in table order."""

    load_p_mw: Floats
    load_q_mvar: Floats
    sgen_p_mw: Floats
    sgen_q_mvar: Floats
    notes: tuple[str, ...]
    """How many elements follow no known profile and keep their value."""


def profiled_elements(net: Net, profiles: LoadProfiles) -> Mapping[str, ProfiledElements]:
    """Return the loads (``load``) and static generators (``sgen``) of ``net`` with the profile named in ``profile``."""
    places = {
        "load": {name: at for at, name in enumerate(profiles.names)},
        "sgen": {name: at for at, name in enumerate(profiles.generation_names, start=len(profiles.names))},
    }
    found = {}
    for table, place in places.items():
        frame = net[table]
        named = frame["profile"].tolist() if "profile" in frame else [None] * len(frame)
        found[table] = ProfiledElements(
            p_mw=frame.p_mw.to_numpy(dtype=float).copy(),
            q_mvar=frame.q_mvar.to_numpy(dtype=float).copy(),
            column=np.array([place.get(name, -1) if isinstance(name, str) else -1 for name in named], dtype=np.int64),
        )
    return found


def notes_on(elements: Mapping[str, ProfiledElements]) -> tuple[str, ...]:
    """Return one sentence per table in which elements keep their value in every hour."""
    words = {"load": "loads", "sgen": "static generators"}
    counts = {table: int((part.column < 0).sum()) for table, part in elements.items()}
    return tuple(
        f"{count} of {len(elements[table].column)} {words[table]} follow no known profile and keep their value"
        for table, count in counts.items()
        if count
    )


def scaled_loads(net: Net, profiles: LoadProfiles, hour: int) -> ScaledLoads:
    """Return what every load and static generator of ``net`` does in one hour (row of the profiles)."""
    elements = profiled_elements(net, profiles)
    load_p_mw, load_q_mvar = elements["load"].at(profiles, hour)
    sgen_p_mw, sgen_q_mvar = elements["sgen"].at(profiles, hour)
    return ScaledLoads(
        load_p_mw=load_p_mw,
        load_q_mvar=load_q_mvar,
        sgen_p_mw=sgen_p_mw,
        sgen_q_mvar=sgen_q_mvar,
        notes=notes_on(elements),
    )


SEASONS: Mapping[str, tuple[int, ...]] = {
    "winter": (12, 1, 2),
    "spring": (3, 4, 5),
    "summer": (6, 7, 8),
    "autumn": (9, 10, 11),
}
"""Months of the meteorological seasons."""
_DAY_TYPE_LABEL = re.compile(r"(?P<month>\d{2})-[a-z]+-(?P<hour>\d{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class HourOfYear:
    """When an hour is, as far as its label tells."""

    month: int
    """1 to 12."""
    hour: int
    """Hour of day that begins, 0 to 23."""


def hour_of_year(label: str) -> HourOfYear:
    """Return month and hour of day of a label such as ``07-workday-18``, ``24.06.2016 18:15`` or ``2026-07-01T18:00``.

    Raises:
        InputError: The label is none of these.
    """
    if match := _DAY_TYPE_LABEL.fullmatch(label):
        month, hour = int(match["month"]), int(match["hour"])
        if 1 <= month <= 12 and hour < 24:
            return HourOfYear(month=month, hour=hour)
    for read in (datetime.fromisoformat, lambda text: datetime.strptime(text, "%d.%m.%Y %H:%M")):
        try:
            time = read(label)
        except ValueError:
            continue
        return HourOfYear(month=time.month, hour=time.hour)
    allowed = "07-workday-18, 24.06.2016 18:15 or 2026-07-01T18:00"
    raise InputError("label tells no month and hour", field="hours", value=label, allowed=allowed)
