"""Layers of a map and views on them, in PostGIS; SQLite has none."""

import sqlalchemy as sa
from alembic import op

from scheme.store.layers.tables import Geom

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_VIEWS = (
    """\
CREATE VIEW v_open_capacity AS
SELECT n.bus, n.node_id, n.element_id, n.name, n.kind, n.u_nominal_kv, n.feeder_id, f.name AS feeder_name,
       n.substation_id, n.area_id, c.status, c.open_kva, c.administrative_kva, c.physical_kva, c.limit_kind,
       c.limit_element_id, n.place::geometry(Point,4490) AS place
FROM grid_node n
JOIN node_capacity c ON c.bus = n.bus
LEFT JOIN grid_feeder f ON f.feeder_id = n.feeder_id""",
    """\
CREATE VIEW v_lines AS
SELECT l.line, l.element_id, l.name, l.type_id, l.laying, l.u_nominal_kv, l.feeder_id, f.name AS feeder_name,
       l.area_id, l.length_km, l.route::geometry(LineString,4490) AS route
FROM grid_line l
LEFT JOIN grid_feeder f ON f.feeder_id = l.feeder_id""",
    """\
CREATE VIEW v_feeders AS
SELECT row_number() OVER (ORDER BY f.feeder_id)::integer AS feeder_no, f.feeder_id, f.name, f.substation_id,
       f.rating_a, f.measured_max_a, l.length_km, n.nodes, n.open_kva_max,
       l.route::geometry(MultiLineString,4490) AS route
FROM grid_feeder f
LEFT JOIN (
    SELECT feeder_id, sum(length_km) AS length_km, ST_Multi(ST_Collect(route ORDER BY line)) AS route
    FROM grid_line WHERE area_id IS NULL GROUP BY feeder_id
) l ON l.feeder_id = f.feeder_id
LEFT JOIN (
    SELECT g.feeder_id, count(*) AS nodes, max(c.open_kva) AS open_kva_max
    FROM grid_node g LEFT JOIN node_capacity c ON c.bus = g.bus GROUP BY g.feeder_id
) n ON n.feeder_id = f.feeder_id""",
    """\
CREATE VIEW v_layer_state AS
SELECT s.layer, s.snapshot_sha256, s.as_of, s.snapshot_sha256 = p.snapshot_sha256 AS is_current
FROM layer_state s, current_snapshot p""",
)


def _grid() -> None:
    op.create_table(
        "grid_node",
        sa.Column("bus", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("element_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("u_nominal_kv", sa.Float(), nullable=True),
        sa.Column("feeder_id", sa.Text(), nullable=True),
        sa.Column("substation_id", sa.Text(), nullable=True),
        sa.Column("area_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("place", Geom("Point"), nullable=True),
        sa.PrimaryKeyConstraint("bus"),
    )
    op.create_table(
        "grid_line",
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("element_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("type_id", sa.Text(), nullable=True),
        sa.Column("laying", sa.Text(), nullable=True),
        sa.Column("u_nominal_kv", sa.Float(), nullable=True),
        sa.Column("feeder_id", sa.Text(), nullable=True),
        sa.Column("area_id", sa.Text(), nullable=True),
        sa.Column("length_km", sa.Float(), nullable=True),
        sa.Column("route", Geom("LineString"), nullable=True),
        sa.PrimaryKeyConstraint("line"),
    )
    op.create_table(
        "grid_feeder",
        sa.Column("feeder_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("substation_id", sa.Text(), nullable=True),
        sa.Column("rating_a", sa.Float(), nullable=True),
        sa.Column("measured_max_a", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("feeder_id"),
    )


def _capacity() -> None:
    op.create_table(
        "node_capacity",
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
    op.create_table(
        "layer_state",
        sa.Column("layer", sa.String(16), nullable=False),
        sa.Column("snapshot_sha256", sa.String(64), nullable=False),
        sa.Column("parameters_sha256", sa.String(64), nullable=True),
        sa.Column("as_of", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("layer"),
    )


def _indices() -> None:
    op.create_index("grid_node_place", "grid_node", ["place"], postgresql_using="gist")
    op.create_index("grid_line_route", "grid_line", ["route"], postgresql_using="gist")
    op.create_index("grid_node_feeder", "grid_node", ["feeder_id"])
    op.create_index("grid_line_feeder", "grid_line", ["feeder_id"])
    op.create_index("ix_node_capacity_part_sha256", "node_capacity", ["part_sha256"])


def upgrade() -> None:
    """Make the layers where the database can hold them."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    _grid()
    _capacity()
    _indices()
    for view in _VIEWS:
        op.execute(view)
