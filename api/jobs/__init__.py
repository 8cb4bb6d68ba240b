"""Durable jobs (后台任务): long work that survives a crash, shows progress and can be cancelled."""
