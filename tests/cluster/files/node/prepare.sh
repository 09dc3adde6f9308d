#!/bin/bash
# Run inside the root file system of the node: what kind's own base image does after it has installed packages.
set -o errexit -o nounset -o pipefail

chmod 0755 /usr/local/bin/* /kind /kind/bin /kind/bin/*
rm -f /lib/systemd/system/multi-user.target.wants/* /etc/systemd/system/*.wants/* \
  /lib/systemd/system/local-fs.target.wants/* \
  /lib/systemd/system/sockets.target.wants/*udev* /lib/systemd/system/sockets.target.wants/*initctl* \
  /lib/systemd/system/basic.target.wants/* \
  /lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service
echo "ReadKMsg=no" >>/etc/systemd/journald.conf
ln -sf /usr/lib/systemd/systemd /sbin/init
systemctl enable kubelet.service containerd.service undo-mount-hacks.service
systemctl mask systemd-binfmt.service
: >/etc/machine-id

ln -sf /usr/bin/containerd /usr/bin/ctr /usr/bin/containerd-shim-runc-v2 /usr/local/bin/
ln -sf /usr/sbin/runc /usr/local/sbin/runc
ctr oci spec |
  jq '.hooks.createContainer += [{"path": "/kind/bin/mount-product-files.sh"}] | del(.process.rlimits)' \
    >/etc/containerd/cri-base.json
# Inside a container without CAP_SYS_RESOURCE nobody may lower a score.
sed -i 's/restrict_oom_score_adj = false/restrict_oom_score_adj = true/' /etc/containerd/config.toml

mkdir -p /opt/cni/bin /etc/kubernetes/manifests
for plugin in bridge host-local loopback portmap ptp; do
  cp "/usr/lib/cni/$plugin" /opt/cni/bin/
done
