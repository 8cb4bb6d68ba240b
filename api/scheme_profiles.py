"""Before and after of stored schemes, worked out on the state each was computed on, the last ones kept."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from datetime import date
from typing import Any

from api.services import Services
from gridmodel.catalogue.loader import load_catalogue
from gridmodel.joint_connection import LoadFlowStudy
from scheme.before_after import SchemeProfile, profile_scheme, read_offer
from scheme.limits import operating_limits

_KEPT_MAX = 64
_STUDIES_MAX = 2
_COINCIDENCE = "capacity.in_flight_coincidence_ratio"


class SchemeProfiles:
    """Works out one profile at a time; pandapower keeps results in the net it solves.

    Args:
        services: Store and rules.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str, int, int], SchemeProfile | None] = OrderedDict()
        self._studies: OrderedDict[tuple[str, int, str, str], LoadFlowStudy] = OrderedDict()

    def get(self, scheme_id: str, *, variant_no: int, source_no: int) -> SchemeProfile | None:
        """Return the grid before and after a variant; ``None`` where the load flow has no solution.

        Raises:
            NotFoundError: No such scheme, variant or source, or the store does not hold its snapshot.
            NotIssuableError: The point is not in the snapshot, or the line not in the catalogue.
        """
        stored = self._services.store.get_scheme(scheme_id)
        key = (scheme_id, stored.snapshot_sha256, variant_no, source_no)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._work_out(json.loads(stored.content), variant_no, source_no)
                if len(self._kept) > _KEPT_MAX:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]

    def _work_out(self, record: Mapping[str, Any], variant_no: int, source_no: int) -> SchemeProfile | None:
        promise = read_offer(record, variant_no)
        provenance = record["provenance"]
        as_of = date.fromisoformat(provenance["as_of"])
        own = Services(
            self._services.store, profile=provenance["profile"], clock=lambda: as_of, parts=self._services.parts
        )
        limits = operating_limits(own.load_policy())
        study = self._study(own, provenance)
        return profile_scheme(promise, source_no, study, limits=limits, catalogue=load_catalogue())

    def _study(self, services: Services, provenance: Mapping[str, Any]) -> LoadFlowStudy:
        seq = int(provenance.get("ledger_seq") or 0)
        key = (provenance["snapshot_sha256"], seq, provenance["as_of"], provenance["profile"])
        if key not in self._studies:
            live = services.get_live_at(provenance["snapshot_sha256"], ledger_seq=seq)
            ratio = services.load_policy().number(_COINCIDENCE)
            self._studies[key] = LoadFlowStudy(live.snapshot, in_flight_coincidence_ratio=ratio)
            if len(self._studies) > _STUDIES_MAX:
                self._studies.popitem(last=False)
        self._studies.move_to_end(key)
        return self._studies[key]
