"""Sizes that both ends of a connection must agree on."""

MAX_PHOTO_BYTES = 24 * 1024 * 1024
"""The largest photo file that is accepted."""

MAX_MESSAGE_BYTES = MAX_PHOTO_BYTES + 8 * 1024 * 1024
"""The largest gRPC message: a photo, or 300 crops of 96 by 96 pixels (8.3 MB), and what surrounds them."""

MAX_HOLDS = 300
"""The most holds that are ever returned for a photo."""
