"""Imports every mapped table, so that `Base.metadata` is whole: for migrations, the drift check and `verify`."""

import importlib
import pkgutil

import appraisal
import auction
import bidding
import kernel
import settlement
from kernel.database import Base

for package in (kernel, appraisal, auction, bidding, settlement):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if package is kernel or module.name.endswith(".models"):
            importlib.import_module(module.name)

__all__ = ["Base"]
