"""The outages of the first version as scenarios: what each asks of a running service, through HTTP alone."""
