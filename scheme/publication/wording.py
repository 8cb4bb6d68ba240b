"""Texts of the public map (地图说明): classes, method, notes. Every word of a publication comes from here."""

from __future__ import annotations

from collections.abc import Sequence

NOT_ADDITIVE = "各方格、各时点的数值不可相加:每个数值都只在其他地点不新增负荷时成立。"
SUPPRESSED_LABEL = "未公布:配变少于规定台数,或没有公用配变;不等于没有可开放容量,可申请查询"
UNKNOWN_LABEL = "未知:现有数据不足以计算;不等于没有可开放容量,可申请查询"


def band_label(low_kva: float, high_kva: float | None) -> str:
    """Return the words of a class of capacity."""
    if low_kva == 0:
        return f"不足{high_kva:g}千伏安,基本没有可开放容量"
    if high_kva is None:
        return f"{low_kva:g}千伏安及以上"
    return f"{low_kva:g}至{high_kva:g}千伏安(不含{high_kva:g})"


def method_text(
    *, transformers_min: float, customers_min: float, hysteresis_ratio: float, cell_side_m: float, block_side_m: float
) -> Sequence[str]:
    """Return the paragraphs that say what a class means and what it does not."""
    return (
        f"方格为边长{cell_side_m:g}米的固定方格,位置与电网设备无关,永不移动。坐标为CGCS2000经纬度。",
        "方格的档次按其中公用配电变压器低压侧可开放容量的中位数确定:至少一半的公用配变可以接入该档下限的一户新增负荷,"
        "数值由交流潮流校核并已扣除在途容量。",
        f"每个档次至少对应{transformers_min:g}台公用配变、{customers_min:g}户客户。达不到的方格不公布自身档次,"
        f"以所在{block_side_m:g}米分块内其余方格合并后的档次作参考;不在图上的地方同样未公布。",
        f"与上一期相比,数值越过档界{hysteresis_ratio:.0%}以上才换档。",
        "档次是数据月份的情况,不是承诺。低压以外的用电和具体地点能否接入,以受理申请后的供电方案答复为准。",
        "受限标志:一半及以上的公用配变列入电网负面清单;空白表示供电企业未提供清单。",
    )
