"""The kinds of records. Each module in this folder defines one as KIND; there is no other list of them."""

from importlib import import_module
from pkgutil import iter_modules

from todo.domain.records import Kind


def _found() -> list[Kind]:
    return [import_module(f"{__name__}.{module.name}").KIND for module in iter_modules(__path__)]


KINDS = {kind.name: kind for kind in sorted(_found(), key=lambda kind: (kind.place, kind.name))}
