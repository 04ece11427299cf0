"""Measures what decoding one photo really takes: `python -m bench.photos.decode_peak PHOTO [MAX_SIDE_PX]`.

To be run in a process of its own. Prints the predicted and the measured peak in bytes, and the pixels of the full size.
"""

import ctypes
import gc
import io
import sys
from pathlib import Path

import pillow_heif
from PIL import Image
from visionkit import codec, header, threads

KINDS = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP", "heic": "HEIF"}
_RESET_PEAK = "5"
_KIB = 1024


def main() -> None:
    """Decode a small photo, to have every library's code in memory, then measure."""
    data = Path(sys.argv[1]).read_bytes()
    max_side_px = int(sys.argv[2]) if len(sys.argv) > 2 else 1280
    threads.limit(2)
    photo_header = header.probe(data)
    _decode_small(photo_header.format)
    Path("/proc/self/clear_refs").write_text(_RESET_PEAK)
    before_bytes = _status("VmRSS")
    codec.decode(data, photo_header, max_side_px=max_side_px)
    peak_bytes = _status("VmHWM") - before_bytes
    predicted_bytes = codec.predict_peak_bytes(photo_header, file_bytes=len(data), max_side_px=max_side_px)
    print(predicted_bytes, peak_bytes, photo_header.pixels)


def _decode_small(photo_format: str) -> None:
    pillow_heif.register_heif_opener()
    buffer = io.BytesIO()
    Image.new("RGB", (640, 480), (9, 99, 200)).save(buffer, KINDS[photo_format])
    small = buffer.getvalue()
    codec.decode(small, header.probe(small), max_side_px=200)  # no whole fraction: the resizing is code, too
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def _status(key: str) -> int:
    """A line of this process's status, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:")) * _KIB


if __name__ == "__main__":
    main()
