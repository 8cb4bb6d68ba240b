"""What is offered to a customer, and why: rules as dated data, connection points, supply schemes, documents."""
