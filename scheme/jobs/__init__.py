"""What durable jobs keep in the store: files handed in for them."""
