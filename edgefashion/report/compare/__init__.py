"""Results of several devices and dates beside each other.

reading   the results files: the sound ones once each, and what is wrong with the others
sources   which device and date each is, in a word; what the others are compared with
joining   rows of the same artifact in one line
spread    whether two latencies differ by more than the spread of their rounds
page      the table
notes     what a reader must know to believe it
records   the same for spreadsheets and programs: CSV, JSON
points    what a picture shows
plot      accuracy against latency and size
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
