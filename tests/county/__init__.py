"""The reference county (参考县): a whole county over real transformer positions, for benchmarks and demos.

5,716 real positions, turned and moved to open water, carry an invented Chinese 10 kV network: 149 feeders, 25
substations, 50 main transformers that each feed an island of their own, 148 open ties, 21,265 buses; with low-voltage
trees 84,141. Nothing of it is committed: it is generated from ``fixtures/county`` and ``choices.toml`` and kept as a
sealed snapshot in a cache folder. The same input gives the same bytes.

Run:  python -m tests.county --out FOLDER [--lv] [--counties N]
Use:  tests.county.build.build_county(with_lv=False, counties=1), load_county(...)
"""
