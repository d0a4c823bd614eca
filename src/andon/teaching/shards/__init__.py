"""Training on more photos than one machine holds: shard by shard of the photos, on any engine."""
