"""Branches in squares: what a tree position and the branch above it hand to the parent, without angles or roots.

With ``w = |V|^2`` at the lower end, ``P + jQ`` delivered there and ``l = |J|^2 = (P^2 + Q^2) / w`` the two-port
``V_p = A V + B J``, ``I_p = C V + D J`` reads

    w_p        = |A|^2 w + 2 Re(A* B S*) + |B|^2 l
    P_p + jQ_p = A C* w + A D* S + B C* S* + B D* l

that is, three real rows of four numbers each; the current at the upper end is ``|I_p|^2 = (P_p^2 + Q_p^2) / w_p``.
"""

from __future__ import annotations

import numpy as np

from gridmodel.capacity.constraints import Floats
from gridmodel.capacity.path.compiled import compiled
from gridmodel.capacity.path.tree import Tree

SQUARES = 12
"""Numbers per branch: the rows of ``w_p``, ``P_p`` and ``Q_p``, each over ``w``, ``P``, ``Q``, ``l``."""


@compiled
def write_squares(tree: Tree, rows: Floats) -> None:
    """Fill the first columns of ``rows``, shape (positions, at least SQUARES), per unit on 1 MVA."""
    for i in range(len(tree.parent)):
        a, b, c, d = tree.v_from_v[i], tree.v_from_j[i], tree.i_from_v[i], tree.i_from_j[i]
        ab, ac, ad, bc, bd = np.conj(a) * b, a * np.conj(c), a * np.conj(d), b * np.conj(c), b * np.conj(d)
        row = rows[i]
        row[0], row[1], row[2] = a.real * a.real + a.imag * a.imag, 2.0 * ab.real, 2.0 * ab.imag
        row[3] = b.real * b.real + b.imag * b.imag
        row[4], row[5], row[6], row[7] = ac.real, ad.real + bc.real, bc.imag - ad.imag, bd.real
        row[8], row[9], row[10], row[11] = ac.imag, ad.imag + bc.imag, ad.real - bc.real, bd.imag
