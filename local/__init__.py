"""The local stack: everything that Azure and the customer would give, on loopback; never deployed."""
