"""Refused requests by the thousand: the gateway must not grow by any kind of them."""
