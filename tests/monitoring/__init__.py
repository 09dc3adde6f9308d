"""The alerts and the dashboard of the operator's chart, with promtool and a real Prometheus."""
