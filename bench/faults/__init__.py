"""Faults to try the services with, and what has to hold under each: requests end in time, typed, and all recovers."""
