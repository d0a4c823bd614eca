"""The inspection station as a server: photos come in over HTTP or from folders, rows go out, people look and correct.

    station.py   everything that one process serves, without HTTP: `Station.inspect` takes a photo and gives its row
    desk.py      the core: one desk per model, with its queue, its batches and its deadlines
    ledger.py    writes what was judged, many in one transaction, and only then gives the answers out
    versions.py  which version of a model a desk judges with: loaded, probed, swapped
    app.py       HTTP around a station; api/ has the routes, pages/ what people look at, state.py what both need
    running.py   starts and stops it

Needs the extra `serve`.
"""
