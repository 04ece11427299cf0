"""A stand-in of climbmate's first version: one process that does everything, with the mistakes that took it down.

It exists to be measured and to fail the incident suite; its models are the ones that the services ship.
"""
