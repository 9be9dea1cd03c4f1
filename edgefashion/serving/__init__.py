"""A model at work where it lives: a page and a JSON endpoint, served by the device itself.

selection.py     which files are served, side by side
about.py         what they are, for who looks
classifier.py    from the bytes of a picture to an answer, in a worker
pool.py          the workers, and who waits for one
limits.py        on bytes, time, connections and requests
messages.py      requests, responses, and refusals in words
origins.py       who may ask: no other site
site.py          what stands at which path
openapi.py       the same, described for programs
connection.py    one connection, with deadlines
server.py        all of them
address.py       where it listens, and who does already
page/            what a browser shows

Its README.md says what is answered, and to whom.
"""
