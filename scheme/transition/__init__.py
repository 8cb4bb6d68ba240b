"""Transition schemes (过渡方案): what can be connected now, and the cheapest verified path to the rest."""
