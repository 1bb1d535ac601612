#!/bin/sh
# Makes the workers of a kind cluster reachable by SSH, so that Turnus can run a script on them. May be repeated, and
# has to be after the nodes were created anew or got other addresses.
#
#   playbooks/kind/enable-ssh.sh [--name turnus] [--directory playbooks/kind]
#
# - Installs openssh-server and sudo in each worker (set-up-node.sh), with a user maintenance that may use sudo. The
#   nodes fetch the packages from Debian's mirrors.
# - Makes the key of that user once, in DIRECTORY/id_ed25519. It has no passphrase: it opens these containers only.
# - Writes the host keys into DIRECTORY/known_hosts. They are read inside the nodes, through the container engine, not
#   over the network: nobody can stand in between, so there is nothing left to compare.
# - Logs in to each worker as Turnus will, and compares its boot id with the one that the node reports.
#
# Exit codes: 0 all workers are ready, 1 something failed, 2 usage, 3 all is set up but not reachable from here.
set -eu

cluster=turnus
here=$(cd "$(dirname "$0")" && pwd)
directory=$here

usage() {
  echo "usage: $0 [--name CLUSTER] [--directory DIRECTORY]" >&2
  exit 2
}

fail() {
  printf 'failed: %s\n' "$*" >&2
  exit 1
}

while [ $# -gt 0 ]; do
  case $1 in
  --name) cluster=${2:-} ;;
  --directory) directory=${2:-} ;;
  *) usage ;;
  esac
  [ -n "${2:-}" ] || usage
  shift 2
done

# --- What is needed -----------------------------------------------------------------------------------------------

is_there() {
  command -v "$1" >/dev/null 2>&1
}

# The engine that kind uses: as in kind, KIND_EXPERIMENTAL_PROVIDER chooses, else the first that is installed.
engine=${KIND_EXPERIMENTAL_PROVIDER:-}
for candidate in docker podman nerdctl; do
  if [ -z "$engine" ] && is_there "$candidate"; then engine=$candidate; fi
done
[ -n "$engine" ] || fail 'none of docker, podman and nerdctl is installed'
for program in "$engine" kubectl ssh ssh-keygen; do
  is_there "$program" || fail "the program $program is missing"
done

# "name bootID address" of each worker; a node has one InternalIP for each family of addresses, and Turnus takes the
# first.
workers=$(kubectl --context "kind-$cluster" get nodes --selector '!node-role.kubernetes.io/control-plane' --output \
  'jsonpath={range .items[*]}{.metadata.name} {.status.nodeInfo.bootID} {.status.addresses[?(@.type=="InternalIP")].address}{"\n"}{end}') ||
  fail "the nodes of context kind-$cluster cannot be listed; does \"kind get clusters\" name $cluster?"
[ -n "$workers" ] || fail "the cluster $cluster has no workers"

# --- The key ------------------------------------------------------------------------------------------------------

mkdir -p -- "$directory"
key=$directory/id_ed25519
known_hosts=$directory/known_hosts
if [ ! -e "$key" ]; then
  ssh-keygen -q -t ed25519 -N '' -C "turnus on kind-$cluster" -f "$key" || fail "the key $key cannot be made"
fi
public_key=$(ssh-keygen -y -f "$key") || fail "the key $key cannot be read"

# --- The nodes ----------------------------------------------------------------------------------------------------

# Only containers of this cluster are touched: kind labels its own (pkg/cluster/internal/providers, clusterLabelKey).
belongs_to_cluster() {
  label=$("$engine" inspect --format '{{ index .Config.Labels "io.x-k8s.kind.cluster" }}' "$1" </dev/null) || label=
  [ "$label" = "$cluster" ]
}

# The line of known_hosts for a node, from the file that its own sshd reads.
host_key_line() { # name, address
  "$engine" exec "$1" cat /etc/ssh/ssh_host_ed25519_key.pub </dev/null | {
    read -r type encoded _ && [ "$type" = ssh-ed25519 ] && [ -n "$encoded" ] || exit 1
    printf '%s %s %s\n' "$2" "$type" "$encoded"
  }
}

written=$known_hosts.new
echo "# Host keys of the workers of kind-$cluster, read inside the nodes by enable-ssh.sh." >"$written"
trap 'rm -f -- "$written"' EXIT
while read -r node _ address _; do
  [ -n "$address" ] || fail "node $node reports no InternalIP"
  belongs_to_cluster "$node" || fail "$engine knows no container $node of the kind cluster $cluster"
  echo "$node ($address): setting up SSH"
  "$engine" exec -i "$node" /bin/sh -s -- "$public_key" <"$here/set-up-node.sh" ||
    fail "SSH could not be set up in $node; see above"
  host_key_line "$node" "$address" >>"$written" || fail "the host key of $node cannot be read"
done <<END
$workers
END
mv -- "$written" "$known_hosts"

# --- The proof ----------------------------------------------------------------------------------------------------

log_in() { # address, command
  ssh -F none -i "$key" -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=5 \
    -o "UserKnownHostsFile=$known_hosts" -o GlobalKnownHostsFile=none "maintenance@$1" "$2" </dev/null
}

unreachable=
while read -r node boot_id address _; do
  if seen=$(log_in "$address" 'sudo -n cat /proc/sys/kernel/random/boot_id'); then
    [ "$seen" = "$boot_id" ] || fail "$node reports boot $boot_id, and the host at $address $seen: it is another machine"
    echo "$node ($address): logged in, same boot id as the node reports"
  else
    unreachable="$unreachable $node"
  fi
done <<END
$workers
END

if [ -n "$unreachable" ]; then
  {
    echo "not reachable from here:$unreachable"
    echo 'All is set up in the nodes. Where the engine runs in a virtual machine (Docker Desktop) or rootless, the'
    echo 'addresses of containers lead nowhere from outside: docs/kind.md, "Where the nodes cannot be reached".'
  } >&2
  exit 3
fi
echo
echo 'Give Turnus the key for as long as you need it:'
echo "  ssh-add -t 8h $key        (without an SSH agent, before it: eval \"\$(ssh-agent -s)\")"
