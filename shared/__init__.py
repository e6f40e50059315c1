"""The application: rules, data, and the adapters around them."""
