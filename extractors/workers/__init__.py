"""How work is spread over processes and machines, and what is kept of it."""
