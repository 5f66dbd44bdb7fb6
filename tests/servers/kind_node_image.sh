#!/usr/bin/env bash
# Builds the image of kind's nodes from Debian's packages, Go's modules and the kind module's own files: a
# machine that reaches no image registry can have a real cluster. Needs root, debootstrap, buildah and podman.
#
# Usage: kind_node_image.sh TOOLS KIND_FILES VERSION IMAGE
#   TOOLS       folder of static programs: kubeadm, kubelet, kubectl, kube-*, etcd, coredns
#   KIND_FILES  images/base/files of the kind module
#   VERSION     of Kubernetes, as its tags have it
#   IMAGE       what the image is to be called
set -euo pipefail
tools=$1 files=$2 version=$3 image=$4
work=$(mktemp -d)
# Only one file system: what debootstrap may have left mounted is not ours to empty.
trap 'rm -rf --one-file-system "$work"' EXIT
node=$work/node

# From the mirror that this machine has its own packages from.
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Release: $release" | head -n 1)
packages=systemd,systemd-sysv,dbus,iproute2,iptables,nftables,conntrack,ethtool,kmod,mount,procps,socat
packages+=,util-linux,ca-certificates,containerd,runc,containernetworking-plugins,jq,curl,hostname,openssl
packages+=,gettext-base,libseccomp2,busybox-static
debootstrap --variant=minbase --include="$packages" bookworm "$node" "$mirror"
# What apt keeps is of no use in a node.
rm -rf "$node"/var/cache/apt/* "$node"/var/lib/apt/lists/* "$node"/usr/share/{doc,man,locale}

# --- the images that kubeadm asks for: three, under the names that it has for them --------------------------
commit() { # folder image entrypoint?
  local container
  container=$(buildah from scratch)
  buildah copy --quiet "$container" "$1" / >/dev/null
  buildah config --env PATH=/usr/local/bin:/usr/sbin ${3:+--entrypoint "$3"} "$container"
  buildah commit --quiet --rm "$container" "$2" >/dev/null
}

control=$work/control-plane
mkdir -p "$control"/{usr/local/bin,usr/sbin,tmp,run,etc}
cp "$tools"/kube-{apiserver,controller-manager,scheduler,proxy} "$tools/etcd" "$control/usr/local/bin/"
# kube-proxy sets up its rules with these.
cp "$node"/usr/sbin/{xtables-nft-multi,conntrack,nft} "$control/usr/sbin/"
for name in {iptables,ip6tables}{,-save,-restore}; do ln -s xtables-nft-multi "$control/usr/sbin/$name"; done
(cd "$node" && cp --parents -r usr/lib/*/xtables "$control")
chroot "$node" sh -c 'ldd /usr/sbin/xtables-nft-multi /usr/sbin/conntrack /usr/sbin/nft /usr/lib/*/xtables/*.so' |
  sed -n 's/^[[:space:]]*\(.* => \)\{0,1\}\(\/[^ ]*\) (0x.*/\2/p' | sort -u |
  while read -r library; do (cd "$node" && cp --parents -L ".$library" "$control"); done

mkdir -p "$work"/{dns,pause}
cp "$tools/coredns" "$work/dns/"
cp "$node/bin/busybox" "$work/pause/"

names=$("$tools/kubeadm" config images list --kubernetes-version "$version" 2>/dev/null)
pause=$(grep /pause: <<<"$names")
commit "$control" localhost/mpc-control-plane
commit "$work/dns" localhost/mpc-coredns '["/coredns"]'
commit "$work/pause" localhost/mpc-pause '["/busybox", "sleep", "infinity"]'
for name in $names; do
  case $name in
    */coredns:*) podman tag localhost/mpc-coredns "$name" ;;
    */pause:*) podman tag localhost/mpc-pause "$name" ;;
    *) podman tag localhost/mpc-control-plane "$name" ;;
  esac
done
mkdir -p "$node/kind"/{bin,manifests}
# shellcheck disable=SC2086
podman save --quiet --multi-image-archive --output "$node/kind/images.tar" $names
# shellcheck disable=SC2086
podman rmi --force $names localhost/mpc-{control-plane,coredns,pause} >/dev/null

# --- the node: what kind's own Dockerfile puts into one ------------------------------------------------------
mkdir -p "$node"/etc/{kubernetes/manifests,cni/net.d} "$node/opt/cni" "$node"/etc/systemd/system/containerd.service.d
cp -r --no-preserve=mode,ownership "$files"/etc/. "$node/etc/"
install -m755 "$files"/usr/local/bin/* "$node/usr/local/bin/"
install -m755 "$files"/kind/bin/* "$node/kind/bin/"
install -m755 "$tools"/{kubeadm,kubelet,kubectl} "$node/usr/bin/"
echo "$version" >"$node/kind/version"
# kind's files look for these at places of its own.
cp "$node"/usr/bin/{containerd,ctr} "$node/usr/local/bin/"
ln -s /usr/lib/cni "$node/opt/cni/bin"
# A machine without CAP_SYS_RESOURCE may not lower a score or raise a limit.
sed -i -e 's/restrict_oom_score_adj = false/restrict_oom_score_adj = true/' \
  -e "s#sandbox_image = .*#sandbox_image = \"$pause\"#" "$node/etc/containerd/config.toml"
cat >"$node/etc/systemd/system/containerd.service.d/10-node.conf" <<END
[Service]
OOMScoreAdjust=0
LimitNPROC=
LimitCORE=
LimitNOFILE=
TimeoutStartSec=300
ExecStartPost=/usr/local/bin/ctr -n k8s.io images import /kind/images.tar
END
# In place of kindnet, which would be one more image: one node needs no routes to others.
cat >"$node/etc/cni/net.d/10-pods.conflist" <<END
{
  "cniVersion": "0.4.0",
  "name": "pods",
  "plugins": [
    {
      "type": "ptp",
      "ipMasq": true,
      "ipam": {
        "type": "host-local",
        "ranges": [[{ "subnet": "10.244.0.0/24" }]],
        "routes": [{ "dst": "0.0.0.0/0" }]
      }
    },
    { "type": "portmap", "capabilities": { "portMappings": true } }
  ]
}
END
chroot "$node" bash -ec '
  ctr oci spec |
    jq ".hooks.createContainer += [{path: \"/kind/bin/mount-product-files.sh\"}] | del(.process.rlimits)" \
      >/etc/containerd/cri-base.json
  rm -f /lib/systemd/system/{multi-user,local-fs}.target.wants/* /etc/systemd/system/*.wants/*
  rm -f /lib/systemd/system/sockets.target.wants/*{udev,initctl}* /lib/systemd/system/basic.target.wants/*
  rm -f /lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service
  echo ReadKMsg=no >>/etc/systemd/journald.conf
  systemctl enable kubelet.service containerd.service undo-mount-hacks.service
  systemctl mask systemd-binfmt.service
'
container=$(buildah from scratch)
buildah copy --quiet "$container" "$node" / >/dev/null
buildah config --env container=docker --stop-signal SIGRTMIN+3 \
  --entrypoint '["/usr/local/bin/entrypoint", "/sbin/init"]' "$container"
buildah commit --quiet --rm "$container" "$image" >/dev/null
