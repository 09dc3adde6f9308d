"""What the operator creates: manifests, who owns them, and whether somebody changed them."""
