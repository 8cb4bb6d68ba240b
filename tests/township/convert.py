"""Write the township (fixtures/township) from the source networks and ``choices.toml``; same input, same bytes.

Run:  python -m tests.township.convert
What each step does and why stands in fixtures/township/README.md.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

from tests.township.flow import Flow, solve
from tests.township.low import add_low_voltage
from tests.township.medium import add_medium_voltage
from tests.township.sheets import Sheets, add, empty_sheets, pick, to_bytes
from tests.township.source import FIXTURES, read_source

CHOICES = Path(__file__).parent / "choices.toml"
TARGET = FIXTURES / "township"


def read_choices() -> dict[str, Any]:
    """Return what was chosen freely."""
    return tomllib.loads(CHOICES.read_text(encoding="utf-8"))


def convert() -> Sheets:
    """Return every table of the township."""
    choices, source = read_choices(), read_source()
    sheets = empty_sheets()
    add(
        sheets, "network", name=choices["network_name"], datum="WGS84", data_as_of=choices["data_as_of"]
    )  # fmt: skip
    add_medium_voltage(sheets, source, choices)
    add_low_voltage(sheets, source, choices)
    _set_taps(sheets, choices)
    _add_measured_maxima(sheets, choices, solve(sheets))
    for row in choices["in_flight"]:
        add(
            sheets, "in_flight", commitment_id=row["id"], node_id=row["node"], capacity_kva=row["capacity_kva"],
            power_factor=row["power_factor"], approved_on=row["approved_on"], valid_to=row["valid_to"],
        )  # fmt: skip
    return sheets


def _set_taps(sheets: Sheets, choices: dict[str, Any]) -> None:
    """Set the off-load taps as a utility would: ordinary voltage at the board in the evening."""
    fixed = {f"T{int(bus):03d}" for bus, area in choices["areas"].items() if "tap_position" in area}
    u_pu = solve(sheets).u_pu
    for row in sheets["distribution_transformers"]:
        if row["transformer_id"] not in fixed:
            row["tap_position"] = "1" if u_pu[row["board_id"]] > choices["evening"]["board_max_pu"] else "0"


def _add_measured_maxima(sheets: Sheets, choices: dict[str, Any], flow: Flow) -> None:
    """Add last year's maxima: the evening's flow times a factor of its own for every element, rounded."""
    measured = choices["measured"]
    elements = [
        ("main_transformer", "main_transformers", "main_transformer_id", 10.0),
        ("feeder", "feeders", "feeder_id", 10.0),
        ("distribution_transformer", "distribution_transformers", "transformer_id", 1.0),
    ]
    for kind, table, key, step_kva in elements:
        for element in (row[key] for row in sheets[table]):
            if element in measured["missing"]:
                continue
            at = pick(choices["seed"], f"maximum {element}")
            factor = measured["factor_min"] + at * (measured["factor_max"] - measured["factor_min"])
            days = measured["days"]
            add(
                sheets, "measured_maxima", element_kind=kind, element_id=element,
                max_kva=round(flow.apparent_kva[element] * factor / step_kva) * step_kva,
                measured_on=days[int(pick(choices["seed"], f"day {element}") * len(days))],
            )  # fmt: skip


def main() -> int:
    """Write the tables; return the exit status."""
    for name, content in to_bytes(convert()).items():
        (TARGET / name).write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
