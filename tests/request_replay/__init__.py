"""Requests asked of whole networks, and every answer judged by plain pandapower from its record alone.

Run:  python -m tests.request_replay [--count N] [--seed N] [--network NAME] [--workers N]
      a seeded mix of customers: how each is answered, how long it takes, and whether any state offered breaks a limit
Run:  python -m tests.request_replay.verified_paths [--count N] [--seed N] [--network NAME]
      more than the networks carry: the share that gets a verified path
"""
