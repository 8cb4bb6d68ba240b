"""Turns an answered scheme into capacity kept free (答复): what it takes, whether the grid carries it, and where."""
