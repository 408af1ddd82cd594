"""Pictures embedded in a page, scaled to the size of a screen."""

import base64
import html
import io
from pathlib import Path

from PIL import Image

from ima.utils.errors import InputError

#: Maximum width in pixels: a two-column figure on a screen with twice the usual density.
WIDEST = 1400
#: Pixels of a picture per pixel of the page, at least.
DENSITY = 1.6
#: Size of the colour palette; figures have few colours.
COLOURS = 256


def picture(path: str | Path, alt: str, widest: int = WIDEST) -> str:
    """Return an HTML image with embedded data.

    Args:
        path: a PNG file.
        alt: description of the picture, as plain text.
        widest: maximum width in pixels.

    Raises:
        InputError: the file does not exist or is not a picture.
    """
    try:
        with Image.open(path) as opened:
            rgba = opened.convert("RGBA")
    except (OSError, SyntaxError) as error:  # Pillow raises SyntaxError for a broken PNG
        do = "Delete it, and it will be drawn again."
        raise InputError(path, expected="a PNG file", found=error, do=do) from error
    image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    if image.width > widest:
        height = round(image.height * widest / image.width)
        image = image.resize((widest, height), Image.Resampling.LANCZOS)
    reduced = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    reduced.save(buffer, "PNG", optimize=True)
    data = base64.b64encode(buffer.getvalue()).decode()
    return (
        f'<img src="data:image/png;base64,{data}" '
        f'width="{reduced.width / DENSITY:.0f}" height="{reduced.height / DENSITY:.0f}" '
        f'loading="lazy" alt="{html.escape(alt)}">'
    )
