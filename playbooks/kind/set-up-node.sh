#!/bin/sh
# Runs inside a kind node, as root, for enable-ssh.sh: $1 is the public key that may log in as maintenance. The node
# image is Debian with systemd and without an SSH server. May be repeated.
set -eu

public_key=${1:?the public key that may log in}
export DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

# apt-get with bounds for its waits; what it says is shown where it fails.
apt() {
  said=$(apt-get -q -o DPkg::Lock::Timeout=60 -o Acquire::http::Timeout=30 -o Acquire::Retries=2 "$@" 2>&1 </dev/null) || {
    printf '%s\n' "$said" >&2
    exit 1
  }
}

if ! command -v sshd >/dev/null || ! command -v sudo >/dev/null; then
  apt update
  apt -y --no-install-recommends install openssh-server sudo
fi

id maintenance >/dev/null 2>&1 || useradd --create-home --shell /bin/bash maintenance
usermod --password '*' maintenance # no password, and not a locked account either
home=/home/maintenance
install -d -o maintenance -g maintenance -m 700 "$home/.ssh"
printf '%s\n' "$public_key" >"$home/.ssh/authorized_keys"
chown maintenance:maintenance "$home/.ssh/authorized_keys"
chmod 600 "$home/.ssh/authorized_keys"

printf 'maintenance ALL=(ALL) NOPASSWD: ALL\n' >/etc/sudoers.d/maintenance
chmod 440 /etc/sudoers.d/maintenance

# An SSH agent may offer many keys before the right one, and each counts as a try.
mkdir -p /etc/ssh/sshd_config.d
printf 'PasswordAuthentication no\nMaxAuthTries 30\n' >/etc/ssh/sshd_config.d/turnus.conf
ssh-keygen -A >/dev/null # host keys that are missing

systemctl --quiet enable ssh
systemctl restart ssh
