"""The I/O around the domain: API client, reflectors, cache, queue, reconciler, prober."""
