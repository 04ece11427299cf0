"""How much memory a photo will take, predicted from its header, so that it can be reserved before any is used."""

from visionkit import codec
from visionkit.header import PhotoHeader

NETWORK_BYTES_PER_PX = 45  # of the canvas: picture, input, outputs, masks; measured at 640 and 960 px
LOOK_BYTES_PER_PX = 11  # of the canvas: 32 float32 prototypes for every 16 pixels, and what was found
ANSWER_BYTES_PER_HOLD = 2 * 4 * 96 * 96  # crop and mask, once as arrays and once as a message


def request_bytes(
    header: PhotoHeader, *, file_bytes: int, max_side_px: int, square_side_px: int, max_holds: int, looks: int = 1
) -> int:
    """Bytes that finding the holds of a photo takes at most, above what the warmed-up network holds anyway.

    Decoding is over when the network runs, and the holds come last, so the larger of the two counts.

    Args:
        header: what the photo claims to be.
        file_bytes: its file's size, on which some decoders' needs depend; the file itself is in the inbox's account.
        max_side_px: longer side to which it will be decoded.
        square_side_px: side of the square as large as which the network sees it.
        max_holds: how many holds may be returned.
        looks: how often the network looks; the prototypes of each look stay until all are over.
    """
    decode = codec.predict_peak_bytes(header, file_bytes=file_bytes, max_side_px=max_side_px)
    decoded_photo = 3 * min(header.pixels, max_side_px**2)
    network = decoded_photo + (NETWORK_BYTES_PER_PX + (looks - 1) * LOOK_BYTES_PER_PX) * square_side_px**2
    return max(decode, network + max_holds * ANSWER_BYTES_PER_HOLD)
