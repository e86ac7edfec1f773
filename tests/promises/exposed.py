"""What Django and the API really expose, found by walking the resolver and the routers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import URLResolver, get_resolver

from staffroom.api import api


def routes(resolver: Any = None, spaces: str = "", prefix: str = "") -> Iterator[tuple[str, str, Any]]:
    """(name with its namespaces or nothing, route, callback) of every pattern."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{spaces}{pattern.namespace}:" if pattern.namespace else spaces
            yield from routes(pattern, inner, route)
        else:
            yield (spaces + pattern.name if pattern.name else ""), route, pattern.callback


def operations() -> dict[str, Any]:
    """``GET /api/records/entries`` and the like, as the OpenAPI document names them, each with its description."""
    paths = api.get_openapi_schema(path_prefix="/api/")["paths"]
    return {f"{method.upper()} {path}": said for path, methods in paths.items() for method, said in methods.items()}


def hidden_operations() -> set[str]:
    """Operations that the OpenAPI document does not tell: there should be none."""
    found = set()
    for prefix, router in api._routers:
        for path, view in router.path_operations.items():
            for operation in view.operations:
                if not operation.include_in_schema:
                    found.add(f"{operation.methods} {prefix}{path}")
    return found


def is_operation(callback: Any) -> bool:
    """Whether a URL pattern is one of a router's paths."""
    return type(getattr(callback, "__self__", None)).__name__ == "PathView" or "PathView" in getattr(
        callback, "__qualname__", ""
    )
