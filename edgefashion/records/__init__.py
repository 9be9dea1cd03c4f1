"""The contents of the JSON files that edgefashion writes, a module for each kind; README.md has every field.

A results row, a machine and its states are frozen records: what an older version did not write has a default,
what no field names is left out. The other files are dictionaries of a known type: there it is `NotRequired`,
or kept as it is and not believed. `edgefashion.files.reading` checks each before anything of it is used.
Importing a module of this package imports msgspec, so what has to be light does it when it is called.
"""
