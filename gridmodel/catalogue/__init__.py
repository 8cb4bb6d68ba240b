"""Equipment types (设备参数库): conductors, cables, transformers, unit costs, each row with source and confidence."""
