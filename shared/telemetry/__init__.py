"""What operators are told: event lines that can be searched, traces that go through queues, and nothing personal."""
