"""The grid as layers of a map in PostGIS, for people who open the database in QGIS; nothing is computed from them."""
