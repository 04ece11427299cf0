"""Decoders: file bytes to pixels, each as small and as early as its library allows."""
