"""Open capacity (可开放容量): definition, search, certificate, and the three numbers per node."""
