"""How the shipped models were made; torch lives only here and never in an image."""
