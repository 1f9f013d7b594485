"""Results as HTML, for notebooks."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from typing import Any

from ganaug.reporting import plain


def block(head: str, lines: Sequence[str] = (), table: str = "", picture: Any = None) -> str:
    """head: bold. lines: paragraphs. table: text of fixed width. picture: a PIL image."""
    parts = [f"<p><b>{escape(plain(head))}</b></p>", *(f"<p>{escape(plain(line))}</p>" for line in lines)]
    if table:
        parts.append(f'<pre style="white-space: pre-wrap">{escape(plain(table))}</pre>')
    if picture is not None:
        content = io.BytesIO()
        picture.save(content, "PNG")
        data = base64.b64encode(content.getvalue()).decode()
        parts.append(f'<img alt="samples, a class a row" src="data:image/png;base64,{data}">')
    return "".join(parts)
