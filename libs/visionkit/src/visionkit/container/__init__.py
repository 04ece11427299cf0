"""Reading of image files without decoding a pixel: headers, orientation, color profiles.

Every parser takes bytes that a stranger sent. It reads slices of them, never copies the whole, does a bounded amount
of work for each byte, and raises InvalidImage for what does not add up.
"""
