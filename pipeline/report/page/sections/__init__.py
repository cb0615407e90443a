"""The chapters of the report; each is made from a `Run`."""
