"""Columns of a project table (储备项目表): what a file may say of a project, cell by cell."""

from __future__ import annotations

from collections.abc import Sequence

from gridmodel.readers.table_schema import Column, ColumnType, Table

TABLE = "projects"
DEMAND_BY_YEAR = "demand_by_year_kva"
YEARS_EXAMPLE = "2027:1600;2028:2500"

_CATEGORIES = (
    "resident|residential_area|small_micro|industrial_commercial|agriculture|non_residential_lighting|ev_charging"
    "|temporary|other"
)
_POWER = "(0, 1000000]"
_Row = tuple[str, bool, ColumnType, str, str, str, str]
_COLUMNS: tuple[_Row, ...] = (
    ("source_system", True, "id", "", "", "gov-approval", "来源系统;字母、数字、点、横线"),
    ("source_id", True, "text", "", "", "2026-411602-04-01-123456", "来源系统中的项目编号;与来源系统一起唯一"),
    ("name", True, "text", "", "", "某某食品加工项目", "项目名称"),
    ("applicant", False, "text", "", "", "某某食品有限公司", "客户名称;不填时以项目名称代替"),
    ("contact", False, "text", "", "", "", "联系方式"),
    ("category", True, "word", "", _CATEGORIES, "industrial_commercial", "用电类别"),
    ("importance", False, "word", "", "special|first|second|temporary|ordinary", "", "重要用户等级,经认定才填"),
    ("business", False, "word", "", "new|increase|temporary", "new", "业务:新装、增容、临时;不填为新装"),
    ("lon_deg", False, "coordinate", "deg", "[-180, 180]", "114.65", "经度;没有位置的项目入库,定位后才能评估"),
    ("lat_deg", False, "coordinate", "deg", "[-90, 90]", "33.62", "纬度"),
    ("datum", False, "word", "", "CGCS2000|WGS84|GCJ02|BD09", "CGCS2000", "坐标系;有经纬度必填,无缺省"),
    ("area_text", False, "text", "", "", "城东产业集聚区", "用电地址或大致范围"),
    ("installed_kw", False, "number", "kW", _POWER, "1200", "用电设备总容量;与用电容量至少知其一才能评估"),
    ("capacity_kva", False, "number", "kVA", _POWER, "", "用电容量"),
    ("power_factor", False, "number", "", "(0, 1]", "", "功率因数"),
    ("single_phase", False, "flag", "", "true|false", "", "是否单相"),
    (DEMAND_BY_YEAR, False, "text", "kVA", "", YEARS_EXAMPLE, "分年用电容量:年份:容量,分号隔开"),
    ("voltage", False, "word", "", "auto|220V|380V|10kV", "auto", "电压等级意向;不填由政策确定"),
    ("sources", False, "word", "", "single|dual_circuit|dual_source", "single", "供电电源;不填为单电源"),
    ("works_stage", False, "word", "", "", "approved", "客户工程进度"),
    ("works_finish_on", False, "date", "", "", "2027-04-30", "客户工程竣工日期"),
    ("likelihood_ratio", False, "number", "", "[0, 1]", "0.8", "落地可能性,0 至 1"),
    ("received_on", True, "date", "", "", "2026-10-08", "入库依据的收到日期"),
    ("needed_on", False, "date", "", "", "2027-05-31", "需要用电的日期"),
    ("in_provincial_park", False, "flag", "", "true|false", "", "在省级及以上园区"),
    ("is_urgent", False, "flag", "", "true|false", "", "紧急"),
    ("wants_high_voltage", False, "flag", "", "true|false", "", "自愿高压接入"),
    ("households", False, "integer", "", "[1, 1000000]", "", "居民小区户数"),
    ("note", False, "text", "", "", "", "备注"),
)
CIRCUMSTANCES = ("in_provincial_park", "is_urgent", "wants_high_voltage", "households")
"""Columns that are circumstances of the request."""


def project_table(works_stages: Sequence[str]) -> Table:
    """Return the table with its columns.

    Args:
        works_stages: ``reserve.works_stages``: what the column of that name may hold.
    """
    columns = {
        name: Column(
            table=TABLE,
            name=name,
            is_required=is_required,
            type=kind,
            unit=unit,
            allowed="|".join(works_stages) if name == "works_stage" else allowed,
            default="",
            refers_to=(),
            on_fault="row",
            example=example,
            description=description,
        )
        for name, is_required, kind, unit, allowed, example, description in _COLUMNS
    }
    return Table(
        name=TABLE,
        is_mandatory=True,
        description="储备项目",
        columns=columns,
        key=("source_system", "source_id"),
    )
