"""What the service costs, and how far it reaches: `python -m infra.model` prints the tables of two pages in docs/."""
