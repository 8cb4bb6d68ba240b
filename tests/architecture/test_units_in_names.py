from __future__ import annotations

import ast
import re

from tests.architecture.sources import python_files, short, tree

UNITS = (
    "kv v a ka kva mva kw mw kvar mvar kwh var ohm ohm_per_km nf_per_km us_per_km km m mm mm2 m2 pu pu2 ratio percent "
    "deg degree c per_k s min h hz days workdays months years cny cny10k bytes"
)
PER = "km kva kw mw mw2 m piece month day kwh set"
QUALIFIERS = "min max total base before after customer min_allowed max_allowed"
UNIT = re.compile(
    rf"(^|_)({'|'.join(UNITS.split())})(_per_({'|'.join(PER.split())}))?(_({'|'.join(QUALIFIERS.split())}))?$"
)
WITHOUT_UNIT = frozenset(
    {
        "power_factor", "power_factor_standard", "target_power_factor", "tan_phi",  # pure numbers with own names
        "fraction_along", "share", "share_of_transformer",  # parts of one
        "value", "limit", "observed", "low", "high", "minimum", "maximum",  # the unit stands in a field beside it
        "score", "weight", "rank", "total",  # points
        "quantity", "stock_quantity", "expected_quantity",  # the unit stands beside it
    }
)  # fmt: skip


def float_fields() -> list[tuple[str, str]]:
    """Place and name of every field of a class whose type is float or ``float | None``."""
    return [
        (f"{short(path)}:{item.lineno}", item.target.id)
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef)
        for item in node.body
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
        if ast.unparse(item.annotation) in {"float", "float | None"}
    ]


def test_float_fields_carry_a_unit() -> None:
    unnamed = [
        f"{place} {name}" for place, name in float_fields() if name not in WITHOUT_UNIT and not UNIT.search(name)
    ]
    assert unnamed == []


def test_the_rule_tells_names_apart() -> None:
    assert len(float_fields()) > 20
    for good in ("open_kva", "u_pu_min", "r_ohm_per_km", "length_km", "line_loading_ratio_max", "u_nominal_kv_min"):
        assert UNIT.search(good), good
    for bad in ("capacity", "length", "voltage", "loading", "kva_open", "power"):
        assert not UNIT.search(bad), bad
