"""Sets of pictures that a user sorted into classes: found, looked into, split, and made into a data set.

trees.py       what lies in a folder
zips.py        … or in a .zip file
layouts.py     names → labeled pictures: class folders, with or without folders of splits
tables.py      … or a labels.csv
scanning.py    what is in each file; kept in the user's cache
picture.py     a file, its class, its split, and what is in it
allocation.py  splits where none are declared
duplicates.py  the same picture twice, and look-alikes
alike.py       … kept in the user's cache
examining.py   all of that → the pictures that can be used
options.py     what the user says, and the task that is made of it
loading.py     all of it → a data set
summary.py     what it holds, for people and for programs
"""
