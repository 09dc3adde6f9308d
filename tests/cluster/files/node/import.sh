#!/bin/bash
# Run inside the root file system of the node, in namespaces of its own: put image archives into containerd's store.
set -o errexit -o nounset -o pipefail

mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /dev
mknod -m 0666 /dev/null c 1 3
containerd >/tmp/containerd.log 2>&1 &
deadline=$((SECONDS + 60))
until [ -S /run/containerd/containerd.sock ] && ctr version >/dev/null 2>&1; do
  if [ "$SECONDS" -ge "$deadline" ]; then
    tail -n 20 /tmp/containerd.log >&2
    exit 1
  fi
  sleep 0.2
done
for archive in "$@"; do
  ctr --namespace=k8s.io images import --no-unpack --all-platforms "$archive"
done
kill %1
wait %1 || true
rm -f /tmp/containerd.log
