"""What the store keeps about who may ask: API keys."""
