"""Photos whose structure was tampered with, through the codec, and what each of them takes."""
