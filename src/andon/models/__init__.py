"""Models: what is learned and the file that holds it.

`file` reads and writes bytes, `header` and `manifest` say what is in them, `load` and `save` know detectors, `format2`
reads what older versions wrote. Reading a header needs no torch.
"""
