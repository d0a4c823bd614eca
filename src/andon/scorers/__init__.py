"""Scorers: a fitted detector made ready to score numpy batches, as `line.scorer.Scorer` says.

`reference` is the detector as it is, in torch. On a CPU `graph` computes all of it that can be converted in OpenVINO,
and needs no torch; `cpu` computes the network alone there. `choose` says which. A detector does not know of any of
this, and a pipeline knows nothing else.
"""
