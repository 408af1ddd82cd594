"""Pictures inside a page, of a size that a screen can show."""

import base64
import html
import io
from pathlib import Path

from PIL import Image

#: Pixels across at the most: of a figure of two columns on a screen of twice the usual density.
WIDEST = 1400
#: Colours of a picture: figures have few.
COLOURS = 128


def picture(path: str | Path, alt: str) -> str:
    """Return an HTML image that has its data in it.

    Args:
        path: a PNG file.
        alt: what it shows, as plain text.
    """
    with Image.open(path) as whole:
        image = Image.alpha_composite(Image.new("RGBA", whole.size, "white"), whole.convert("RGBA"))
    if image.width > WIDEST:
        height = round(image.height * WIDEST / image.width)
        image = image.resize((WIDEST, height), Image.Resampling.LANCZOS)
    few = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    few.save(buffer, "PNG", optimize=True)
    data = base64.b64encode(buffer.getvalue()).decode()
    return (
        f'<img src="data:image/png;base64,{data}" width="{few.width}" height="{few.height}" '
        f'loading="lazy" alt="{html.escape(alt)}">'
    )
