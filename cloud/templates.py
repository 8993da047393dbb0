"""Render the templates of ``templates/``."""

from __future__ import annotations

import traceback
from functools import cache
from pathlib import Path
from typing import Any

import jinja2


class TemplateProblem(ValueError):
    """A template that can't be rendered. The message names the template, the line and what is wrong."""


def render(src: str, **data: Any) -> str:
    """Render one template.

    Args:
        src: the template's path, relative to the working directory, from where ``include`` and ``import``
            find theirs too.
        data: the names the template may use. Any other name is an error, not an empty text.

    Raises:
        TemplateProblem: no such template, a syntax error, an undefined name, or an error in an expression.
    """
    try:
        return _environment(str(Path.cwd())).get_template(src).render(**data)
    except jinja2.TemplateNotFound as error:
        raise TemplateProblem(f"{src}: no template {error.name}") from error
    except jinja2.TemplateError as error:
        raise TemplateProblem(f"{_place(src, error)}: {error.message}") from error
    except Exception as error:
        # Not its message: int("...") and the like quote the value, which may be a secret.
        raise TemplateProblem(f"{_place(src, error)}: {type(error).__name__}") from error


@cache
def _environment(root: str) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(root),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _place(src: str, error: Exception) -> str:
    """``template:line``; jinja2 puts the templates' own lines into the traceback."""
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(src)
    ]
    return f"{src}:{lines[-1]}" if lines else src
