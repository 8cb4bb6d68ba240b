"""What a row of each element table must hold before pandapower may see it.

Only what ``runpp`` reads is mandatory. pandapower has no such list: a missing number raises an error of numpy there, or
passes in silence (a load on a bus that does not exist simply vanishes).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Rule = Literal["any", "positive", "not_negative", "at_least_one"]

RULE_TEXT = MappingProxyType(
    {
        "any": "有限数值",
        "positive": "> 0",
        "not_negative": ">= 0",
        "at_least_one": ">= 1 的整数",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema:
    """Mandatory columns of one element table."""

    numbers: tuple[tuple[str, Rule], ...] = ()
    """Numbers every row must have, and what must hold for them."""
    flags: tuple[str, ...] = ("in_service",)
    """Truth values every row must have."""
    references: tuple[tuple[str, str], ...] = (("bus", "bus"),)
    """Column and the table whose index it names."""
    ratings: tuple[str, ...] = ()
    """Numbers > 0 that only say what the element may carry; a row without one stays, and nothing behind it is
    assessed."""

    others: tuple[str, ...] = ()
    """Further columns that must exist; they have checks of their own."""

    @property
    def required(self) -> tuple[str, ...]:
        """Columns that must exist when the table has rows."""
        return (
            *(column for column, _ in self.references),
            *(column for column, _ in self.numbers),
            *self.ratings,
            *self.flags,
            *self.others,
        )


def _numbers(*, any_: str = "", positive: str = "", not_negative: str = "") -> tuple[tuple[str, Rule], ...]:
    return (
        *((column, "any") for column in any_.split()),
        *((column, "positive") for column in positive.split()),
        *((column, "not_negative") for column in not_negative.split()),
    )


_TWO_BUSES = (("from_bus", "bus"), ("to_bus", "bus"))
_ASYMMETRIC = _numbers(any_="p_a_mw q_a_mvar p_b_mw q_b_mvar p_c_mw q_c_mvar", not_negative="scaling")

SCHEMAS = MappingProxyType(
    {
        "bus": TableSchema(numbers=_numbers(positive="vn_kv"), references=()),
        "bus_dc": TableSchema(numbers=_numbers(positive="vn_kv"), references=()),
        "line": TableSchema(
            numbers=(
                *_numbers(positive="length_km", not_negative="r_ohm_per_km x_ohm_per_km c_nf_per_km g_us_per_km"),
                ("parallel", "at_least_one"),
            ),
            references=_TWO_BUSES,
            ratings=("max_i_ka", "df"),
        ),
        "trafo": TableSchema(
            numbers=(
                *_numbers(
                    any_="shift_degree",
                    positive="sn_mva vn_hv_kv vn_lv_kv vk_percent",
                    not_negative="vkr_percent pfe_kw i0_percent",
                ),
                ("parallel", "at_least_one"),
            ),
            references=(("hv_bus", "bus"), ("lv_bus", "bus")),
            ratings=("df",),
        ),
        "trafo3w": TableSchema(
            numbers=_numbers(
                any_="shift_mv_degree shift_lv_degree",
                positive="sn_hv_mva sn_mv_mva sn_lv_mva vn_hv_kv vn_mv_kv vn_lv_kv "
                "vk_hv_percent vk_mv_percent vk_lv_percent",
                not_negative="vkr_hv_percent vkr_mv_percent vkr_lv_percent pfe_kw i0_percent",
            ),
            references=(("hv_bus", "bus"), ("mv_bus", "bus"), ("lv_bus", "bus")),
        ),
        "impedance": TableSchema(
            numbers=_numbers(
                any_="rft_pu xft_pu rtf_pu xtf_pu gf_pu bf_pu gt_pu bt_pu",
                positive="sn_mva",
            ),
            references=_TWO_BUSES,
        ),
        "tcsc": TableSchema(
            numbers=_numbers(any_="x_l_ohm x_cvar_ohm set_p_to_mw thyristor_firing_angle_degree"),
            flags=("controllable", "in_service"),
            references=_TWO_BUSES,
        ),
        "dcline": TableSchema(
            numbers=_numbers(any_="p_mw loss_percent loss_mw", positive="vm_from_pu vm_to_pu"), references=_TWO_BUSES
        ),
        "load": TableSchema(
            numbers=_numbers(
                any_="p_mw q_mvar",
                not_negative="scaling const_z_p_percent const_i_p_percent const_z_q_percent const_i_q_percent",
            )
        ),
        "sgen": TableSchema(numbers=_numbers(any_="p_mw q_mvar", not_negative="scaling")),
        "storage": TableSchema(numbers=_numbers(any_="p_mw q_mvar", not_negative="scaling")),
        "asymmetric_load": TableSchema(numbers=_ASYMMETRIC),
        "asymmetric_sgen": TableSchema(numbers=_ASYMMETRIC),
        "motor": TableSchema(
            numbers=_numbers(
                any_="pn_mech_mw loading_percent", positive="cos_phi efficiency_percent", not_negative="scaling"
            )
        ),
        "gen": TableSchema(
            numbers=_numbers(any_="p_mw", positive="vm_pu", not_negative="scaling"), flags=("slack", "in_service")
        ),
        "ext_grid": TableSchema(numbers=_numbers(any_="va_degree", positive="vm_pu")),
        "shunt": TableSchema(numbers=_numbers(any_="p_mw q_mvar", positive="vn_kv", not_negative="step")),
        "ward": TableSchema(numbers=_numbers(any_="ps_mw qs_mvar pz_mw qz_mvar")),
        "xward": TableSchema(numbers=_numbers(any_="ps_mw qs_mvar pz_mw qz_mvar r_ohm x_ohm", positive="vm_pu")),
        "svc": TableSchema(
            numbers=_numbers(any_="x_l_ohm x_cvar_ohm thyristor_firing_angle_degree", positive="set_vm_pu"),
            flags=("controllable", "in_service"),
        ),
        "ssc": TableSchema(
            numbers=_numbers(any_="r_ohm x_ohm", positive="set_vm_pu"), flags=("controllable", "in_service")
        ),
        "vsc": TableSchema(references=(("bus", "bus"), ("bus_dc", "bus_dc"))),
        "line_dc": TableSchema(
            numbers=_numbers(positive="length_km", not_negative="r_ohm_per_km"),
            references=(("from_bus_dc", "bus_dc"), ("to_bus_dc", "bus_dc")),
        ),
        "source_dc": TableSchema(numbers=_numbers(positive="vm_pu"), references=(("bus_dc", "bus_dc"),)),
        "load_dc": TableSchema(
            numbers=_numbers(any_="p_dc_mw", not_negative="scaling"), references=(("bus_dc", "bus_dc"),)
        ),
        "vsc_stacked": TableSchema(references=(("bus", "bus"), ("bus_dc_plus", "bus_dc"), ("bus_dc_minus", "bus_dc"))),
        "vsc_bipolar": TableSchema(references=(("bus", "bus"), ("bus_dc_plus", "bus_dc"), ("bus_dc_minus", "bus_dc"))),
        "switch": TableSchema(flags=("closed",), others=("element", "et")),
    }
)
"""In the order they are checked: what is named by a reference stands before what names it."""

SWITCH_TARGETS = MappingProxyType({"l": "line", "t": "trafo", "t3": "trafo3w", "b": "bus"})
"""Value of ``switch.et`` to the table ``switch.element`` points into."""

BRANCH_ENDS = MappingProxyType(
    {
        "line": ("from_bus", "to_bus"),
        "trafo": ("hv_bus", "lv_bus"),
        "trafo3w": ("hv_bus", "mv_bus", "lv_bus"),
        "impedance": ("from_bus", "to_bus"),
        "tcsc": ("from_bus", "to_bus"),
        "dcline": ("from_bus", "to_bus"),
    }
)

CHARACTERISTIC_TABLES = ("trafo_characteristic_table", "shunt_characteristic_table")
"""Number tables that elements name by ``id_characteristic_table``; no rows of the grid themselves."""
