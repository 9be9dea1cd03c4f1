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

Its charts are SVG by matplotlib (its own license, BSD-like): drawn when the report is written, so that the
page needs no library. Of those with scripts, Vega evaluates code or brings an interpreter of 0.8 MB, Bokeh
draws on a canvas that a screen reader does not see, Plotly alone is 4.5 MB; pygal has no error bars.
"""

from edgefashion.report.page.data import Model, Report
from edgefashion.report.page.gather import Subject, gather

__all__ = ["Model", "Report", "Subject", "gather"]
