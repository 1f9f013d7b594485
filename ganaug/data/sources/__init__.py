"""Whatever holds labelled images, as one kind of thing. A function under `@source`, in any file of this folder, opens
one kind of it."""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
