"""What a release is made of, and a rehearsal of it: packages, digests, signatures and installations."""
