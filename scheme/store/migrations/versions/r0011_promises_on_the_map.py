"""The map says of every feeder what is promised on it at this moment, straight from the ledger."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_VIEWS = (
    """\
CREATE OR REPLACE VIEW v_open_capacity AS
SELECT n.bus, n.node_id, n.element_id, n.name, n.kind, n.u_nominal_kv, n.feeder_id, f.name AS feeder_name,
       n.substation_id, n.area_id, c.status, c.open_kva, c.administrative_kva, c.physical_kva, c.limit_kind,
       c.limit_element_id, n.place::geometry(Point,4490) AS place,
       (a.held_va + a.posted_va) / 1000.0 AS feeder_promised_kva
FROM grid_node n
JOIN node_capacity c ON c.bus = n.bus
LEFT JOIN grid_feeder f ON f.feeder_id = n.feeder_id
LEFT JOIN ledger_account a ON a.account_id = 'feeder:' || f.feeder_id""",
    """\
CREATE OR REPLACE VIEW v_feeders AS
SELECT row_number() OVER (ORDER BY f.feeder_id)::integer AS feeder_no, f.feeder_id, f.name, f.substation_id,
       f.rating_a, f.measured_max_a, l.length_km, n.nodes, n.open_kva_max,
       l.route::geometry(MultiLineString,4490) AS route,
       (a.held_va + a.posted_va) / 1000.0 AS feeder_promised_kva
FROM grid_feeder f
LEFT JOIN (
    SELECT feeder_id, sum(length_km) AS length_km, ST_Multi(ST_Collect(route ORDER BY line)) AS route
    FROM grid_line WHERE area_id IS NULL GROUP BY feeder_id
) l ON l.feeder_id = f.feeder_id
LEFT JOIN (
    SELECT g.feeder_id, count(*) AS nodes, max(c.open_kva) AS open_kva_max
    FROM grid_node g LEFT JOIN node_capacity c ON c.bus = g.bus GROUP BY g.feeder_id
) n ON n.feeder_id = f.feeder_id
LEFT JOIN ledger_account a ON a.account_id = 'feeder:' || f.feeder_id""",
)


def upgrade() -> None:
    """Give the views their column."""
    if op.get_bind().dialect.name == "postgresql":
        for view in _VIEWS:
            op.execute(view)
