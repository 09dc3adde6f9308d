"""The operator and the charts in a real cluster, asked as a browser asks."""
