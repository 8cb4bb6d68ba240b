"""The grid as an engineer looks at it (工程师地图): tiles, one node, feeders, search; no figure is worked out here."""
