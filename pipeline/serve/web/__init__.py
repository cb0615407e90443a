"""Requests: routes, who may ask, and where the server listens."""
