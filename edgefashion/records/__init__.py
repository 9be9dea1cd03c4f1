"""The contents of the JSON files that edgefashion writes: a module for each kind of file.

Types that `edgefashion.files.reading` checks a file against before anything of it is used. A field that older
versions did not write is `NotRequired`; one that no type here names is kept as it is, and not believed.
Importing a module of this package imports msgspec, so readers do it when they are called.
"""
