"""A million photos, counted: inspected in shards by several processes or computers, none of them lost.

The way of a photo: `source` lists it, `plan` writes it into the manifest, `run` hands its shard to an engine, one of
whose workers (`shard`) inspects it and writes its row into a part. `counting` holds the parts against the manifest,
`summary` draws the page. All of it lies in one `place`, a folder or a store, where a `lease` says who works on what.
"""
