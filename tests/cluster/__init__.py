"""The kind cluster that the end-to-end tests, the chaos tests and the benchmarks run on."""
