"""The Kubernetes API for any controller: client, codec, reflector, work queue, leader election. No word of Chainlit."""
