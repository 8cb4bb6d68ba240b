"""Open capacity of every node of a radial island from one base case: subtree one-ports and path shooting.

The mathematics, and where it fails, is derived in ``decisions/0005-path-method.md``. Modules in the order of the
calculation: ``tree`` (islands as rooted trees of two-ports), ``bounds`` (limits per tree position), ``sweep`` (base
case), ``oneport`` (subtrees seen from their head), ``shooting`` (the walk from a candidate to the source), ``engine``.
"""
