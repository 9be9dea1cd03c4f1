"""Results of several devices and dates beside each other.

reading.py    the results files: the sound ones once each, and what is wrong with the others
devices.py    which device and date each is, in a word; what the others are compared with
join.py       rows of the same artifact in one line
bootstrap.py  whether two latencies differ by more than the spread of their rounds
page.py       the table
notes.py      what a reader must know to judge it
records.py    the same for spreadsheets and programs: CSV, JSON
scatter.py    what a picture shows
plot.py       accuracy against latency and size
"""

from edgefashion.report.compare.devices import DeviceResults, choose, name_all
from edgefashion.report.compare.join import Cell, Comparison, Line, compare
from edgefashion.report.compare.reading import File, read, read_all

__all__ = [
    "Cell",
    "Comparison",
    "DeviceResults",
    "File",
    "Line",
    "choose",
    "compare",
    "name_all",
    "read",
    "read_all",
]
