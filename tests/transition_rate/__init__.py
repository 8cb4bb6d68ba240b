"""How many requests a grid cannot carry as it is get a verified path, and whether plain pandapower agrees.

Run:  python -m tests.transition_rate [--count N] [--seed N] [--case NAME] [--profile PROFILE]
"""
