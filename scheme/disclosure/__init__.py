"""What a customer is shown: records of its own, made by an allow list, never the internal record with parts removed."""
