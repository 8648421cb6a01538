# SPDX-License-Identifier: Apache-2.0
# What Pillow makes of image files: tests/unit/server/image/test_pillow.c compares. Arguments: a way of preprocessing, a
# filter, a side, files. Standard output: for every file one byte, 1 and side * side * 3 bytes of pixels, or 0 where
# Pillow cannot read it.
import sys

from PIL import Image, ImageOps

FILTERS = {
    "nearest": Image.NEAREST,
    "bilinear": Image.BILINEAR,
    "bicubic": Image.BICUBIC,
    "box": Image.BOX,
    "lanczos": Image.LANCZOS,
}


def centre_square(image, side, resample):
    width, height = image.size
    part = round(0.875 * min(width, height))
    left, top = (width - part) // 2, (height - part) // 2
    return image.crop((left, top, left + part, top + part)).resize((side, side), resample)


def shorter_side(image, side, resample):
    width, height = image.size
    short = int(side * 256 / 224)
    size = (short, int(short * height / width)) if width <= height else (int(short * width / height), short)
    image = image.resize(size, resample)
    left, top = int(round((size[0] - side) / 2.0)), int(round((size[1] - side) / 2.0))
    return image.crop((left, top, left + side, top + side))


def letterbox(image, side, resample):
    width, height = image.size
    factor = min(side / width, side / height)
    size = tuple(max(1, int(v * factor + 0.5)) for v in (width, height))
    out = Image.new("RGB", (side, side), (10, 20, 30))
    out.paste(image.resize(size, resample), ((side - size[0]) // 2, (side - size[1]) // 2))
    return out


def stretch(image, side, resample):
    return image.resize((side, side), resample)


def main():
    way, resample, side = globals()[sys.argv[1]], FILTERS[sys.argv[2]], int(sys.argv[3])
    for path in sys.argv[4:]:
        try:
            image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
            pixels = way(image, side, resample).tobytes()
            sys.stdout.buffer.write(b"\1" + pixels)
        except (OSError, SyntaxError):
            sys.stdout.buffer.write(b"\0")


main()
