"""The page that a person opens: static files beside this module, and the charts' library out of its own package.

The page is plain modules of the browser's own language, so what is in `static/` is what runs: nothing is built. It
speaks to the same routes as every other client and has no right of its own.
"""
