-- Roles of a store on PostgreSQL. Run once as its owner (who also runs `gridscheme migrate`), and again after a migration
-- or a restore:  psql --set=ON_ERROR_STOP=1 --file=roles.sql DATABASE
-- Logins are made by the administrator:
--   CREATE ROLE service LOGIN PASSWORD '...' IN ROLE gridscheme_service;
--   CREATE ROLE planner LOGIN PASSWORD '...' IN ROLE gridscheme_reader;

-- The service writes rows and changes no table; what is append-only it cannot even try to change.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'gridscheme_service') THEN
    CREATE ROLE gridscheme_service NOLOGIN;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'gridscheme_reader') THEN
    CREATE ROLE gridscheme_reader NOLOGIN;
  END IF;
END
$$;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO gridscheme_service, gridscheme_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO gridscheme_service;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO gridscheme_service;
REVOKE UPDATE, DELETE ON ledger_entry, ledger_event, audit_row, ledger_certificate, ledger_hold_source, project_change,
  scenario_version, assessment, assessment_result, assessment_part, assessment_project
  FROM gridscheme_service;
REVOKE INSERT, UPDATE, DELETE ON store_revision, spatial_ref_sys FROM gridscheme_service;

-- People with QGIS see the layers of the map: no scheme, no application, no hold, nothing to change.
GRANT SELECT ON v_open_capacity, v_lines, v_feeders, v_layer_state, geometry_columns, spatial_ref_sys
  TO gridscheme_reader;
