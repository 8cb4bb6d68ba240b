"""Typical days of SimBench's load and generation profiles: how ``fixtures/profiles`` was made.

Run: ``python -m tests.profiles FOLDER --out FILE`` with the folder ``1-complete_data-mixed-all-0-sw`` of the package
``simbench``, which is not needed for anything else.
"""
