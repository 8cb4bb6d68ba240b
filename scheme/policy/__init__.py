"""Rule numbers as dated data (政策参数)."""
