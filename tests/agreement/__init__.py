"""Open capacity against plain pandapower bisection on many networks, node by node.

Every sampled node is judged by plain ``runpp`` flows and by ``tests.capacity.independent_check``, which share no code
with the engine: the value, the binding kind and the binding element. ``cases.py`` says which networks.

Run:  python -m tests.agreement [--json FILE] [--case WORD] [--share 0.5] [--direction load]
"""
