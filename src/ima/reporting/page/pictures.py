"""Pictures inside a page, of a size that a screen can show."""

import base64
import html
import io
from pathlib import Path

from PIL import Image

from ima.utils.errors import InputError

#: Pixels across at the most: of a figure of two columns on a screen of twice the usual density.
WIDEST = 1400
#: Colours of a picture: figures have few.
COLOURS = 128


def picture(path: str | Path, alt: str, widest: int = WIDEST) -> str:
    """Return an HTML image that has its data in it.

    Args:
        path: a PNG file.
        alt: what it shows, as plain text.
        widest: pixels across at the most.

    Raises:
        InputError: no such file, or no picture.
    """
    try:
        with Image.open(path) as opened:
            whole = opened.convert("RGBA")
    except (OSError, SyntaxError) as error:  # the latter is what Pillow calls a broken PNG
        do = "Delete it, to have it drawn again."
        raise InputError(path, expected="a PNG file", found=error, do=do) from error
    image = Image.alpha_composite(Image.new("RGBA", whole.size, "white"), whole)
    if image.width > widest:
        height = round(image.height * widest / image.width)
        image = image.resize((widest, height), Image.Resampling.LANCZOS)
    few = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    few.save(buffer, "PNG", optimize=True)
    data = base64.b64encode(buffer.getvalue()).decode()
    return (
        f'<img src="data:image/png;base64,{data}" width="{few.width}" height="{few.height}" '
        f'loading="lazy" alt="{html.escape(alt)}">'
    )
