"""A base map under the grid (底图): none is shipped, a utility names its own; maps of China need an approved one."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from gridmodel.errors import InputError

_PARTS = ("{z}", "{x}", "{y}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Basemap:
    """Raster tiles in Web Mercator.

    Args:
        url: Template with ``{z}``, ``{x}`` and ``{y}``, https, or http on this machine.
        attribution: Whose map it is, with its review number (审图号); always shown.
    """

    url: str
    attribution: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"})
        if not is_safe or not all(part in self.url for part in _PARTS) or any(c in self.url for c in "\"' ;,<>"):
            raise InputError(
                "not a template of map tiles",
                field="GRIDSCHEME_BASEMAP_URL",
                value=self.url,
                allowed="https://HOST/...{z}...{x}...{y}...",
            )
        if not self.attribution.strip():
            raise InputError(
                "a base map is shown with its source",
                field="GRIDSCHEME_BASEMAP_ATTRIBUTION",
                value=self.attribution,
                allowed="whose map it is, with its review number",
            )

    @property
    def origin(self) -> str:
        """Scheme and host, as a content policy names them."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def attributes(self) -> str:
        """Return it as attributes of the page."""
        return f' data-basemap-url="{escape(self.url)}" data-basemap-attribution="{escape(self.attribution)}"'
