"""The durable road: books that survive the process that wrote them."""
