"""Results of an assessment as files: the planner's own table, GeoJSON, a printable report."""
