"""The service under load and fire: many clients, kills anywhere, power losses: ``python -m tests.harness``."""
