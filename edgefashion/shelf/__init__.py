"""Many machines at the same time: what runs on each of them, and what comes home.

lines.py      what all talk with a machine has in common: JSON, a line each
messages.py   what is asked of a machine and what it answers
served.py     what runs there, and ends when nobody listens any more
payload.py    which files travel for what the user names, and what they are called there
expected.py   which rows are expected of it, and whether its answer has them
asking.py     one request, and its report
machines.py   which machines are at work, each once
visit.py      one machine: looked at, made ready, given the files, asked
diagnosis.py  what one lacks, before anything is sent
shelf.py      all of them at once
benchmark.py  what is measured on all of them
table.py      their results beside each other, and which machines failed

work.py       the same of trainings: what is said
errands.py    the words and files that a machine trains by
worker.py     what runs there
session.py    one machine that trains
training.py   all of them: one training that they share, or whole ones that are dealt out
"""
