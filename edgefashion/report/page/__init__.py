"""A report to look at: one HTML file that needs nothing else, no network and no other file.

What is gathered, as records:

gather.py      models and results files, and from them a Report
data.py        what a report knows
answers.py     which images a model confuses, and how sure it was of that
layers.py      what debug wrote of layers

How it is shown:

sections.py    what each section shows
results.py     what was measured: in a few words, in tables, in a scatter, and int8 beside float
confusion.py   the confusion matrix, and the images behind its cells
facts.py       where models and figures come from
charts.py      the charts, drawn by matplotlib
svg.py         a chart as a part of the page, whose colors the page decides
thumbnails.py  images inside the page, as many as it has room for
document.py    the page as a whole, and what a browser may do with it
templates/     its HTML, a file a section; page.css and page.js

Its charts are SVG by matplotlib (its own license, BSD-like), which draws all other pictures too: drawn when
the report is written, so that the page needs no library, and a script of its own is the only one that its
Content-Security-Policy has to allow. Of libraries with scripts, Vega evaluates code or brings an interpreter,
Bokeh draws on a canvas, which no screen reader sees, and Plotly alone is larger than the page may be; pygal
(LGPL) would be a second library for the same pictures.
"""

from edgefashion.report.page.data import Model, Report
from edgefashion.report.page.gather import Subject, gather

__all__ = ["Model", "Report", "Subject", "gather"]
