"""What `gridscheme capacity` computes on demand beside the stored table: hours, generation, flexible, N-1."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gridmodel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from api.services import Progress, Services
    from gridmodel.profiles import LoadProfiles

    Bar = Callable[[str], AbstractContextManager[Progress | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Further:
    """What is asked for."""

    curves: Path | None = None
    """CSV file of load curves (负荷曲线)."""
    generation: bool = False
    flexible: bool = False
    n_minus_one: bool = False

    def read_curves(self) -> LoadProfiles | None:
        """Return the curves.

        Raises:
            InputError: The file is no table of curves, or something is asked for that needs one.
        """
        from gridmodel.profiles import read_profiles

        for name, is_asked, why in (
            ("--generation", self.generation, "generation counts at little load and much sun"),
            ("--flexible", self.flexible, "a curve over the day follows from the loads' curves"),
        ):
            if is_asked and self.curves is None:
                raise InputError(f"load curves are needed: {why}", field=name, allowed="--curves FILE with it")
        return None if self.curves is None else read_profiles(self.curves)


def compute_over_hours(services: Services, curves: LoadProfiles, progress: Progress | None) -> pd.DataFrame:
    """Return the node table as the least over all hours of the curves; it is not stored."""
    policy = services.load_policy()
    settings = services.parts.capacity_settings(policy)
    return services.parts.node_capacity(services.get_snapshot(), **settings, profiles=curves, progress=progress)


def add_columns(
    table: pd.DataFrame, services: Services, further: Further, curves: LoadProfiles | None, show: Bar
) -> pd.DataFrame:
    """Return the node table with the further columns asked for; ``show`` opens a progress bar with a title."""
    from gridmodel.capacity.node_columns import flexible_columns, generation_columns, n_minus_one_columns
    from scheme.limits import generation_hours, generation_settings

    policy, snapshot = services.load_policy(), services.get_snapshot()
    settings = dict(services.parts.capacity_settings(policy))
    shared = ("limits", "power_factor", "in_flight_coincidence_ratio")
    load = {name: value for name, value in settings.items() if name in shared}
    frames = []
    if further.generation and curves is not None:
        with show("分布式电源可开放容量") as progress:
            frames.append(
                generation_columns(
                    snapshot,
                    curves,
                    **generation_settings(policy),
                    hours=generation_hours(policy, curves),
                    progress=progress,
                )
            )
    if further.flexible and curves is not None:
        with show("分时可开放容量") as progress:
            frames.append(flexible_columns(snapshot, curves, **load, progress=progress))
    if further.n_minus_one:
        with show("N-1 可开放容量") as progress:
            frames.append(n_minus_one_columns(snapshot, **load, progress=progress))
    attrs = dict(table.attrs)
    for frame in frames:
        table = table.join(frame)
    table.attrs = attrs
    return table
