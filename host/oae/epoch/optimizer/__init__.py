"""Recovery from shards of different epochs: is the state a step of the optimizer, and what then?"""
