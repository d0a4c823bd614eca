"""A million photos, counted: inspected in shards by several processes or computers, none of them lost.

The way of a batch: `source` lists the photos, `manifest` is written first, `run` has an engine inspect the shards,
`shard` is what a worker does, `part` is what it leaves, `counting` holds the parts against the manifest,
`summary` draws the page.
"""
