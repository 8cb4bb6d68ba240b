"""One customer connected at several points at once (多电源), as :mod:`gridmodel.connection` connects it at one.

Points of one island see each other's load: the island is solved with all of them together and each is judged on its own
supply path. Points of different islands cannot influence each other and are assessed one by one.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from gridmodel.capacity.limits import Limits
from gridmodel.capacity.violations import Violation, new_violations
from gridmodel.connection import ConnectionAssessment, ConnectionStudy, TrialConnection
from gridmodel.errors import ConvergenceError, InputError
from gridmodel.in_flight import Commitment, with_commitments
from gridmodel.net import Net, run_load_flow
from gridmodel.snapshot import Snapshot
from gridmodel.topology import SupplyPath
from gridmodel.trial_net import add_in_flight, copy_solved


@dataclass(frozen=True, slots=True, kw_only=True)
class SolvedStates:
    """An island without and with a customer, both solved and not to be changed; a line teed off is split in both."""

    before: Net
    after: Net
    path: SupplyPath
    """The customer's supply path in ``after``."""
    new_buses: Mapping[int, str]
    """Buses that are not in the snapshot: the customer's end (:data:`CUSTOMER_BUS`), a tee (id of the line)."""
    new_lines: Mapping[int, str]
    """Lines that are not in the snapshot: the route (:data:`ROUTE_LINE`), the far half of a line teed off."""


class JointConnectionStudy(ConnectionStudy):
    """A study that also assesses several connections in service at the same time."""

    def solve_states(self, trial: TrialConnection) -> SolvedStates | None:
        """Return the island of a trial before and after; ``None`` where there is no supply or no solution.

        Raises:
            KeyError: The bus or line is not in the snapshot.
        """
        anchor = self._anchor(trial.bus, trial.line)
        base = self.get_base(anchor, in_flight=trial.in_flight)
        if base is None or not np.isfinite(base.res_bus.vm_pu[anchor]):
            return None
        before, point = self._connect(base, trial)
        if not ((before is base or _solve(before)) and _solve(point.net)):
            return None
        return SolvedStates(
            before=before,
            after=point.net,
            path=self._path(base, trial, point),
            new_buses=point.new_buses,
            new_lines=point.new_lines,
        )

    def assess_together(self, trials: Sequence[TrialConnection], *, limits: Limits) -> tuple[ConnectionAssessment, ...]:
        """Return the verdict on each trial with all of them in service, in the order given.

        Raises:
            InputError: Two trials tee off the same line.
            KeyError: A bus or line is not in the snapshot.
        """
        teed = [trial.line for trial in trials if trial.line is not None]
        if len(set(teed)) < len(teed):
            raise InputError("two points tee off the same line", field="line", allowed="one tee on a line")
        islands: dict[tuple[int, bool], list[int]] = defaultdict(list)
        for place, trial in enumerate(trials):
            label = self._islands.label(self._anchor(trial.bus, trial.line))
            islands[label, trial.in_flight].append(place)
        found: dict[int, ConnectionAssessment] = {}
        for places in islands.values():
            here = [trials[place] for place in places]
            verdicts = (self.assess(here[0], limits=limits),) if len(here) == 1 else self._assess_island(here, limits)
            found |= dict(zip(places, verdicts, strict=True))
        return tuple(found[place] for place in range(len(trials)))

    def with_in_flight(self, snapshot: Snapshot) -> Self:
        """Return a study of the same grid with other commitments (在途); both keep what they solve for each other.

        Args:
            snapshot: Shares net and frames with the snapshot of this study, but for ``in_flight``.
        """
        assert snapshot.net is self.snapshot.net, "another grid needs a study of its own"
        study = copy.copy(self)
        study.snapshot, study._in_flight_of = snapshot, None
        return study

    def find_new_violations(self, commitments: Sequence[Commitment], *, limits: Limits) -> tuple[Violation, ...] | None:
        """Return the limits that further commitments, all in service at once, newly break; ``None``: no solution.

        They stand at their nodes as every later calculation sees them, without the customers' lines.

        Raises:
            KeyError: A bus is not in the snapshot.
        """
        islands: dict[int, list[Commitment]] = defaultdict(list)
        for commitment in commitments:
            islands[self._islands.label(commitment.bus)].append(commitment)
        found: list[Violation] = []
        for own in islands.values():
            before = self.get_base(own[0].bus, in_flight=True)
            if before is None:
                return None
            after = copy_solved(before)
            alone = replace(self.snapshot, in_flight=self.snapshot.in_flight.iloc[:0])
            add_in_flight(after, with_commitments(alone, own), self.in_flight_coincidence_ratio)
            if not _solve(after):
                return None
            found += new_violations(before, after, limits=limits)
        return tuple(found)

    def find_fed_end(self, line: int) -> int:
        """Return the end of a line that is fed through it, so that what tees off stands at the safe side of the line.

        Of a line in a ring, or open at one end, it is the end that tells its island.

        Raises:
            KeyError: The line is not in the snapshot.
        """
        row = self.snapshot.net.line.loc[line]
        ends, anchor = [int(row.from_bus), int(row.to_bus)], self._anchor(None, line)
        base = self.get_base(anchor, in_flight=True)
        upper = None if base is None else self._get_topology(base, anchor).upper_end(line, ends)
        return anchor if upper is None else ends[1] if upper == ends[0] else ends[0]

    def name_element(self, violation: Violation) -> str:
        """Return the imported identifier of the element a violation is about."""
        return self._element_id(violation.table, violation.element)

    def _assess_island(self, trials: Sequence[TrialConnection], limits: Limits) -> tuple[ConnectionAssessment, ...]:
        alone = tuple(self.assess(trial, limits=limits) for trial in trials)
        base = self.get_base(self._anchor(trials[0].bus, trials[0].line), in_flight=trials[0].in_flight)
        if base is None or any(verdict.limit_kind in ("convergence", "unsupplied") for verdict in alone):
            return _unsolved(alone)
        points, after = [], base
        for trial in trials:  # each on the net with the ones before it
            _, point = self._connect(after, trial)
            points.append(point)
            after = point.net
        before = _without(after, [point.customer_bus for point in points])
        if not (_solve(before) and _solve(after)):
            return _unsolved(alone)
        every_bus = {bus: name for point in points for bus, name in point.new_buses.items()}
        every_line = {line: name for point in points for line, name in point.new_lines.items()}
        # A point's own elements stand first: its supply path begins with them. The verdict spends the net.
        points = [
            replace(
                point,
                net=copy_solved(after),
                new_buses=point.new_buses | every_bus,
                new_lines=point.new_lines | every_line,
            )
            for point in points
        ]
        return tuple(
            self._judge(before, point, self._path(base, trial, point), limits)
            for trial, point in zip(trials, points, strict=True)
        )


class LoadFlowStudy(JointConnectionStudy):
    """A study of loading and voltage alone, for a customer whose short circuits were studied before."""

    def _fault_levels(self, point: Any, *, is_wanted: bool) -> dict[str, float | None]:
        return super()._fault_levels(point, is_wanted=False)


def _unsolved(alone: Sequence[ConnectionAssessment]) -> tuple[ConnectionAssessment, ...]:
    """Return verdicts on a state without solution: none of the points has supply of its own then."""
    first = next((verdict.limit_kind for verdict in alone if verdict.limit_kind == "unsupplied"), "convergence")
    return tuple(replace(verdict, is_within_limits=False, violations=(), limit_kind=first) for verdict in alone)


def _without(net: Net, customer_buses: Sequence[int]) -> Net:
    """Return a copy without the customer's ends, their routes and loads; teed lines stay split."""
    bare = copy_solved(net)
    bare.line = bare.line[~bare.line.to_bus.isin(customer_buses)]
    bare.res_line = bare.res_line.reindex(bare.line.index)
    bare.load = bare.load[~bare.load.bus.isin(customer_buses)]
    bare.bus = bare.bus.drop(list(customer_buses))
    bare.res_bus = bare.res_bus.drop(list(customer_buses))
    return bare


def _solve(net: Net) -> bool:
    """Solve from the results in ``net``, and afresh where that does not converge."""
    for init in ("results", "auto"):
        try:
            run_load_flow(net, init=init)
        except ConvergenceError:
            continue
        return True
    return False
