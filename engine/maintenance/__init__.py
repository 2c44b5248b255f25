"""The care of a library file, which must also work where the file cannot be opened; `Care` is its door.

Modules: `copying` makes backups and puts them back, `examining` and `mending` are the doctor, `rebuilding` begins anew
from the folders, `compacting` gives space back, `exporting` and `importing` carry a library as JSON Lines.
"""

from engine.maintenance.care import Care

__all__ = ["Care"]
