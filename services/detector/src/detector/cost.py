"""How much memory a photo will take, predicted from its header, so that it can be reserved before any is used."""

from visionkit.header import PhotoHeader

NETWORK_BYTES_PER_PX = 75  # of the square: activations, measured at 640 and 960 px, where they peak
INPUT_BYTES_PER_PX = 3 + 12  # of the square: the letterboxed picture and the network's float32 input
ANSWER_BYTES_PER_HOLD = 2 * 4 * 96 * 96  # crop and mask, once as arrays and once as a message
PHOTO_COPIES = 3  # of the decoded photo: before and after color conversion, and upright
WEBP_BYTES_PER_PX = {3: 7, 4: 8}
HEIC_BYTES_PER_PX = {1: 5, 3: 5, 4: 12}


def request_bytes(header: PhotoHeader, *, max_side_px: int, square_side_px: int, max_holds: int) -> int:
    """Bytes that finding the holds of a photo takes at most, beside the photo's file.

    Decoding is over when the network runs, but libraries keep what they freed for a while: the two are added up.

    Args:
        header: what the photo claims to be.
        max_side_px: longer side to which it will be decoded.
        square_side_px: side of the network's input.
        max_holds: how many holds may be returned.
    """
    square = square_side_px**2 * (NETWORK_BYTES_PER_PX + INPUT_BYTES_PER_PX)
    return decode_bytes(header, max_side_px) + square + max_holds * ANSWER_BYTES_PER_HOLD


def decode_bytes(header: PhotoHeader, max_side_px: int) -> int:
    """Bytes that `visionkit.codec.decode` takes at most; the decoders' docstrings say why."""
    shrunk_px = min(header.pixels, 4 * max_side_px**2)
    photo = PHOTO_COPIES * 3 * min(header.pixels, max_side_px**2)
    return round(photo + _decoder_bytes(header, shrunk_px))


def _decoder_bytes(header: PhotoHeader, shrunk_px: int) -> float:
    if header.format == "jpeg":
        coefficients = 2 * header.samples_per_px * header.pixels if header.progressive else 0
        return coefficients + shrunk_px * header.channels
    if header.format == "png":
        stored = (2 if header.bit_depth == 16 else 1) if header.channels == 1 else 4
        return header.pixels * stored + shrunk_px * 4
    table = WEBP_BYTES_PER_PX if header.format == "webp" else HEIC_BYTES_PER_PX
    return header.pixels * table.get(header.channels, max(table.values()))
