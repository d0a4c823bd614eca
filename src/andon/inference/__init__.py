"""What computes on a CPU without torch: networks in OpenVINO, and the search in a memory bank.

Nothing here knows of detectors. `scorers` puts them together with a detector, `models` with an exported file.
"""
