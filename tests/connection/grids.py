"""Hand-made snapshots for the tests of connections; everything about them can be worked out on paper."""

from typing import Any

import numpy as np
import pandas as pd

from gridmodel.catalogue.records import LineType
from gridmodel.net import pandapower
from gridmodel.snapshot import Snapshot

LON0, LAT0 = 114.5, 33.0
M_PER_DEG_LAT = 110_901.0  # at 33 N, GRS80 meridian
M_PER_DEG_LON = 93_454.0  # at 33 N, GRS80 parallel


def place(east_m: float, north_m: float) -> tuple[float, float]:
    """Longitude and latitude of a point given in metres around the origin (good to a few centimetres)."""
    return LON0 + east_m / M_PER_DEG_LON, LAT0 + north_m / M_PER_DEG_LAT


def line_type(type_id: str = "TEST 120", **changes: Any) -> LineType:
    values: dict[str, Any] = {
        "type_id": type_id, "label": type_id, "series": "TEST", "laying": "overhead", "u_class": "mv",
        "material": "aluminium", "section_mm2": 120.0, "r20_ohm_per_km": 0.253, "alpha_per_k": 0.004,
        "r_operating_ohm_per_km": 0.3, "operating_temperature_c": 75.0, "x_ohm_per_km": 0.35,
        "x_6_10_kv_ohm_per_km": None, "c_nf_per_km": 10.0, "c_6_10_kv_nf_per_km": None, "rating_a": 300.0,
        "rating_basis": "air_40c", "rating_air_40c_a": None, "rating_air_35c_a": None, "rating_reference_a": None,
        "reference_ambient_c": None, "rating_buried_25c_a": None, "rating_duct_a": None, "ith_1s_ka": None,
        "r0_ohm_per_km": None, "x0_ohm_per_km": None, "diameter_mm": None, "gmd_m": None, "neutral": None,
        "source": "test", "confidence": "test",
    }  # fmt: skip
    return LineType(**(values | changes))


class Grid:
    """Collects a net and its nodes; element ids are ``N<bus>``, ``L<line>``, ``T<trafo>``."""

    def __init__(self) -> None:
        self.pp = pandapower()
        self.net = self.pp.create_empty_network()
        self.nodes: dict[int, dict[str, Any]] = {}
        self.lines: dict[int, dict[str, Any]] = {}
        self.transformers: dict[int, dict[str, Any]] = {}
        self.in_flight: list[dict[str, Any]] = []

    def bus(self, kind: str, u_kv: float, east_m: float, north_m: float, **more: Any) -> int:
        bus = int(self.pp.create_bus(self.net, u_kv))
        lon, lat = place(east_m, north_m)
        self.nodes[bus] = {
            "node_id": f"n{bus}", "source_id": str(bus), "element_id": f"N{bus}", "name": f"node {bus}", "kind": kind,
            "u_nominal_kv": u_kv, "lon_deg": lon, "lat_deg": lat, "feeder_id": None, "substation_id": None,
            "area_id": None, "spare_bays": np.nan, "status": "assessable", "reason": None,
        } | more  # fmt: skip
        return bus

    def line(self, a: int, b: int, length_km: float, *, laying: str = "overhead", **more: Any) -> int:
        data = {"r_ohm_per_km": 0.2, "x_ohm_per_km": 0.35, "c_nf_per_km": 10.0, "max_i_ka": 0.4} | more
        line = int(self.pp.create_line_from_parameters(self.net, a, b, length_km, **data))
        self.lines[line] = {
            "element_id": f"L{line}", "name": f"line {line}", "type_id": None, "laying": laying,
            "u_nominal_kv": self.nodes[a]["u_nominal_kv"], "feeder_id": self.nodes[b]["feeder_id"],
            "area_id": self.nodes[b]["area_id"],
        }  # fmt: skip
        return line

    def trafo(self, hv: int, lv: int, sn_kva: float, role: str, **more: Any) -> int:
        data = {
            "sn_mva": sn_kva / 1e3,
            "vn_hv_kv": float(self.net.bus.vn_kv[hv]), "vn_lv_kv": float(self.net.bus.vn_kv[lv]),
            "vkr_percent": 1.0, "vk_percent": 4.0, "pfe_kw": 0.5, "i0_percent": 0.2,
        }  # fmt: skip
        trafo = int(self.pp.create_transformer_from_parameters(self.net, hv, lv, **data))
        self.transformers[trafo] = {
            "element_id": f"T{trafo}", "name": f"trafo {trafo}", "role": role, "model": None, "sn_kva": sn_kva,
            "feeder_id": self.nodes[hv]["feeder_id"], "substation_id": None, "area_id": self.nodes[lv]["area_id"],
            "measured_max_kva": np.nan, "measured_on": None,
        } | more  # fmt: skip
        return trafo

    def source(self, bus: int, **more: Any) -> None:
        self.pp.create_ext_grid(self.net, bus, **({"s_sc_max_mva": 500.0, "rx_max": 0.1} | more))

    def load(self, bus: int, p_kw: float, q_kvar: float = 0.0) -> None:
        self.pp.create_load(self.net, bus, p_mw=p_kw / 1e3, q_mvar=q_kvar / 1e3)

    def snapshot(self) -> Snapshot:
        columns = ["commitment_id", "bus", "capacity_kva", "power_factor", "approved_on", "valid_to"]
        feeder_ids = sorted({row["feeder_id"] for row in self.nodes.values() if row["feeder_id"]})
        feeders = {
            "name": feeder_ids, "substation_id": None, "main_transformer": None, "head_line": None,
            "rating_a": np.nan, "measured_max_a": np.nan, "measured_on": None,
        }  # fmt: skip
        return Snapshot(
            net=self.net,
            nodes=pd.DataFrame.from_dict(self.nodes, orient="index"),
            lines=pd.DataFrame.from_dict(self.lines, orient="index"),
            transformers=pd.DataFrame.from_dict(self.transformers, orient="index"),
            feeders=pd.DataFrame(feeders, index=feeder_ids),
            in_flight=pd.DataFrame(self.in_flight, columns=columns),
            findings=(),
            counts=(),
            source_name="test",
            source_format="tables",
        )
