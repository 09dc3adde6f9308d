"""One file for each ingress controller: how it matches paths, rewrites them and treats WebSockets."""
