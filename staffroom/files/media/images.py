"""Looking at a still picture: its size is read before its pixels are."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from staffroom.files.media import limits
from staffroom.files.media.limits import Refused


def look(path: Path) -> dict[str, Any]:
    """Width and height as shown (after rotation), format. Refuses what cannot be decoded or is too large."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = limits.IMAGE_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=["JPEG", "PNG", "GIF", "WEBP"]) as image:
                if image.width * image.height > limits.IMAGE_PIXELS or max(image.size) > limits.SIDE:
                    raise Refused("too_many_pixels", width=image.width, height=image.height)
                image.load()
                shown = ImageOps.exif_transpose(image)
                return {"width": shown.width, "height": shown.height, "format": image.format}
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refused("too_many_pixels") from error
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, ZeroDivisionError) as error:
        raise Refused("image_broken") from error
