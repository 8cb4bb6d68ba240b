"""How the outside reaches the product: command line and HTTP."""
