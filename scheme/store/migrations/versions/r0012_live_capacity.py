"""The map shows capacities net of live holds."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_VIEWS = (
    """\
CREATE OR REPLACE VIEW v_open_capacity AS
SELECT n.bus, n.node_id, n.element_id, n.name, n.kind, n.u_nominal_kv, n.feeder_id, f.name AS feeder_name,
       n.substation_id, n.area_id,
       CASE WHEN l.bus IS NULL THEN c.status ELSE l.status END AS status,
       CASE WHEN l.bus IS NULL THEN c.open_kva ELSE l.open_kva END AS open_kva,
       CASE WHEN l.bus IS NULL THEN c.administrative_kva ELSE l.administrative_kva END AS administrative_kva,
       CASE WHEN l.bus IS NULL THEN c.physical_kva ELSE l.physical_kva END AS physical_kva,
       CASE WHEN l.bus IS NULL THEN c.limit_kind ELSE l.limit_kind END AS limit_kind,
       CASE WHEN l.bus IS NULL THEN c.limit_element_id ELSE l.limit_element_id END AS limit_element_id,
       n.place::geometry(Point,4490) AS place,
       (a.held_va + a.posted_va) / 1000.0 AS feeder_promised_kva
FROM grid_node n
JOIN node_capacity c ON c.bus = n.bus
LEFT JOIN node_capacity_live l ON l.bus = n.bus
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
    SELECT g.feeder_id, count(*) AS nodes, max(CASE WHEN l.bus IS NULL THEN c.open_kva ELSE l.open_kva END)
           AS open_kva_max
    FROM grid_node g
    LEFT JOIN node_capacity c ON c.bus = g.bus
    LEFT JOIN node_capacity_live l ON l.bus = g.bus
    GROUP BY g.feeder_id
) n ON n.feeder_id = f.feeder_id
LEFT JOIN ledger_account a ON a.account_id = 'feeder:' || f.feeder_id""",
    """\
CREATE OR REPLACE VIEW v_layer_state AS
SELECT s.layer, s.snapshot_sha256, s.as_of, s.snapshot_sha256 = p.snapshot_sha256 AS is_current, s.ledger_seq
FROM layer_state s, current_snapshot p""",
)


def upgrade() -> None:
    """Lay the rows that holds change over those of the imported grid."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.create_table(
        "node_capacity_live",
        sa.Column("bus", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("part_sha256", sa.String(64), nullable=False),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("administrative_kva", sa.Float(), nullable=True),
        sa.Column("physical_kva", sa.Float(), nullable=True),
        sa.Column("open_kva", sa.Float(), nullable=True),
        sa.Column("limit_kind", sa.Text(), nullable=True),
        sa.Column("limit_element_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("bus"),
    )
    op.create_index("ix_node_capacity_live_part_sha256", "node_capacity_live", ["part_sha256"])
    op.add_column("layer_state", sa.Column("ledger_seq", sa.BigInteger(), nullable=True))
    for view in _VIEWS:
        op.execute(view)
