#!/bin/sh
# Brings the packages of a Debian or Ubuntu node up to date. Turnus runs it as root on the empty node.
#
# - Asks nothing. Configuration files that were changed on the host stay as they are.
# - Packages on hold (apt-mark hold) stay. Nothing is removed; new packages come only as dependencies.
# - The kubelet, the container runtime and their companions are put on hold for the time of the upgrade, unless they
#   are named in TURNUS_LIFT. Afterwards, also after a failure, the holds are what they were before. A package that
#   somebody had put on hold stays held even when it is named there.
# - Answers in $TURNUS_RESULT. Of two lines about the same thing the later one counts:
#     changed=no|yes         no until the moment before packages are changed: a failure before can be undone
#     reboot=required|no     the newest installed kernel is not the running one, or a flag file says so
#     version.<name>.before=…, version.<name>.after=…
set -eu

# --- Settings: edit here ------------------------------------------------------------------------------------------

# Packages of the list below that may be upgraded all the same, separated by spaces. Example: "containerd.io runc"
TURNUS_LIFT=${TURNUS_LIFT:-}

# Never upgraded unless named above. Patterns as dpkg-query understands them.
PROTECTED='kubelet kubeadm kubectl kubernetes-cni cri-tools
  cri-o cri-o-* containerd containerd.io containerd-* runc crun conmon docker.io docker-ce docker-ce-* moby-engine
  moby-containerd moby-runc'

# Reported with their versions in addition to the protected ones, where installed.
REPORTED='libc6 libssl3 libssl3t64 openssl openssh-server systemd'

# How long another apt or dpkg (unattended-upgrades, apt-daily) is waited for, in seconds.
LOCK_WAIT_SECONDS=${LOCK_WAIT_SECONDS:-300}

# Where the system keeps things. Only tests have a reason to change these.
REBOOT_FLAG=${REBOOT_FLAG:-/var/run/reboot-required}
BOOT_DIRECTORY=${BOOT_DIRECTORY:-/boot}
STATE_DIRECTORY=${STATE_DIRECTORY:-/var/lib/turnus}

# --- Answers ------------------------------------------------------------------------------------------------------

result=${TURNUS_RESULT:?names the file for the answers; Turnus sets it}

answer() {
  printf '%s\n' "$1" >>"$result"
}

say() {
  printf '%s\n' "$*"
}

fail() {
  printf 'failed: %s\n' "$*" >&2
  exit 1
}

answer changed=no

[ "$(id -u)" = 0 ] || fail 'this script needs root; let Turnus use sudo (host.ssh.sudo: true)'

export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
export DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=critical
export APT_LISTCHANGES_FRONTEND=none UCF_FORCE_CONFFOLD=1
export NEEDRESTART_MODE=l # its hook lists services and restarts none

# --- Packages -----------------------------------------------------------------------------------------------------

# Names of the installed packages among the given names and patterns, one a line.
installed() {
  # dpkg-query fails when one of the names is unknown, and lists the others all the same.
  # shellcheck disable=SC2016 # the dollar signs are dpkg-query's
  { dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null || true; } |
    awk '$1 ~ /^.i/ { print $2 }' | sort -u
}

# Version of an installed package.
version_of() {
  # shellcheck disable=SC2016
  dpkg-query -W -f '${db:Status-Abbrev} ${Version}\n' "$1" 2>/dev/null | awk '$1 ~ /^.i/ { print $2; exit }'
}

# True when a line of the second argument is the first one.
has_line() {
  printf '%s\n' "$2" | grep -Fqx -- "$1"
}

report_versions() { # before | after
  for package in $reported; do
    version=$(version_of "$package") || version=
    [ -z "$version" ] || answer "version.$package.$1=$version"
  done
}

# apt-get with everything that keeps it from asking and from waiting for ever.
apt() {
  apt-get -y -q \
    -o "DPkg::Lock::Timeout=$LOCK_WAIT_SECONDS" \
    -o Dpkg::Options::=--force-confdef \
    -o Dpkg::Options::=--force-confold \
    "$@" </dev/null
}

# Runs a command again while another apt or dpkg keeps a lock, for those that do not wait by themselves (the package
# lists, apt-mark, dpkg). Leaves what it printed in $output.
waiting_for_lock() {
  waited=0
  while :; do
    status=0
    output=$("$@" 2>&1 </dev/null) || status=$?
    [ "$status" -ne 0 ] || return 0
    case $output in
    *'Could not get lock'* | *'Unable to lock'* | *'Unable to acquire'* | *'locked by another process'*) ;;
    *) return "$status" ;;
    esac
    if [ "$waited" -ge "$LOCK_WAIT_SECONDS" ]; then
      say "another apt or dpkg kept its lock for $LOCK_WAIT_SECONDS s" >&2
      return "$status"
    fi
    [ "$waited" -gt 0 ] || say "waiting for another apt or dpkg to end, at most $LOCK_WAIT_SECONDS s"
    sleep 10
    waited=$((waited + 10))
  done
}

# --- Holds --------------------------------------------------------------------------------------------------------

holds_record=$STATE_DIRECTORY/held-by-debian-upgrade

# Takes back the holds on record: those of this run, or of one that was killed.
restore_holds() {
  [ -f "$holds_record" ] || return 0
  while read -r package; do
    if waiting_for_lock apt-mark unhold "$package"; then
      say "hold taken back: $package"
    else
      say "$output" >&2
      say "the hold of $package could not be taken back; run: apt-mark unhold $package" >&2
      return 0 # the record stays for the next run
    fi
  done <"$holds_record"
  rm -f -- "$holds_record"
}

hold_protected() {
  # shellcheck disable=SC2086 # words and patterns are wanted, and set -f keeps the patterns for dpkg-query
  protected=$(set -f && installed $PROTECTED)
  held=$(apt-mark showhold)
  to_hold=
  for package in $protected; do
    lifted=no
    for name in $TURNUS_LIFT; do
      if [ "$name" = "$package" ]; then lifted=yes; fi
    done
    if has_line "$package" "$held"; then
      [ "$lifted" = no ] || say "$package is named in TURNUS_LIFT but on hold: it stays; run apt-mark unhold $package to let it go"
    elif [ "$lifted" = yes ]; then
      say "may be upgraded: $package"
    else
      to_hold="$to_hold $package"
    fi
  done
  [ -n "$to_hold" ] || return 0
  mkdir -p -- "$STATE_DIRECTORY"
  # shellcheck disable=SC2086 # one word a package
  printf '%s\n' $to_hold >"$holds_record"
  # shellcheck disable=SC2086
  waiting_for_lock apt-mark hold $to_hold || fail "these packages could not be put on hold:$to_hold: $output"
  say "held for this upgrade:$to_hold"
}

# --- Reboot -------------------------------------------------------------------------------------------------------

# The part of a kernel release after its numbers: amd64, cloud-amd64, generic.
flavour_of() {
  printf '%s\n' "$1" | sed -e 's/^[0-9][^-]*-//' -e 's/^[0-9][0-9a-z.]*-//'
}

# Release that the next boot brings: of the newest installed kernel package that has an image to boot, or of the
# running kernel where none is newer. Where kernels of the running flavour are installed, only those count.
next_kernel() {
  running=$(uname -r)
  flavour=$(flavour_of "$running")
  releases=$(installed 'linux-image-[0-9]*' 'linux-image-unsigned-[0-9]*' |
    sed -e '/-dbg$/d' -e '/-dbgsym$/d' -e 's/^linux-image-unsigned-//' -e 's/^linux-image-//' -e 's/-unsigned$//')
  same=
  other=
  for release in $releases; do
    [ -e "$BOOT_DIRECTORY/vmlinuz-$release" ] || continue
    if [ "$(flavour_of "$release")" = "$flavour" ]; then
      same="$same $release"
    else
      other="$other $release"
    fi
  done
  [ -n "$same" ] || same=$other
  # shellcheck disable=SC2086 # one word a release
  printf '%s\n' "$running" $same | sort -V | tail -n 1
}

# Why a reboot is required, one reason a line; nothing where it is not.
reboot_reasons() {
  running=$(uname -r)
  next=$(next_kernel)
  if [ "$next" != "$running" ]; then
    say "kernel $running runs and $next is installed"
  fi
  # A kernel may be replaced under the same release. Debian writes the version of the package into uname -v.
  built=$(uname -v | sed -n 's/.* Debian \([^ ]*\).*/\1/p')
  image=$(version_of "linux-image-$running") || image=
  if [ -n "$built" ] && [ -n "$image" ] && [ "${image%+b*}" != "$built" ]; then
    say "kernel $running runs as built in $built and $image is installed"
  fi
  if [ -e "$REBOOT_FLAG" ]; then
    say "$REBOOT_FLAG exists"
  fi
  if command -v needrestart >/dev/null 2>&1; then
    # 1 is current, 0 unknown; 2 and 3 are upgrades that wait for a boot (needrestart, README.batch.md).
    case $(needrestart -b -k -r l 2>/dev/null </dev/null | sed -n 's/^NEEDRESTART-KSTA: *//p') in
    2 | 3) say 'needrestart says that a newer kernel waits' ;;
    *) ;;
    esac
  fi
}

answer_reboot() {
  answer "version.kernel.after=$(next_kernel)"
  reasons=$(reboot_reasons)
  if [ -n "$reasons" ]; then
    say "reboot required: $reasons"
    answer reboot=required
  else
    say 'no reboot required'
    answer reboot=no
  fi
}

# --- The upgrade --------------------------------------------------------------------------------------------------

trap restore_holds EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

restore_holds # of a run that was killed
[ ! -f "$holds_record" ] || fail "holds of an earlier run are still there, see $holds_record"
# shellcheck disable=SC2086 # words and patterns are wanted
reported=$(set -f && installed $PROTECTED $REPORTED)
answer "version.kernel.before=$(uname -r)"
report_versions before

# Packages that an earlier, killed dpkg left half done: apt does nothing before they are finished.
# shellcheck disable=SC2016
half_done=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | awk '$1 ~ /^.[UFHWt]/ { print $2 }')
if [ -n "$half_done" ]; then
  # shellcheck disable=SC2086 # one word a package
  say 'finishing what an earlier dpkg left half done:' $half_done
  answer changed=yes
  waiting_for_lock dpkg --force-confdef --force-confold --configure -a || fail "dpkg --configure -a: $output"
fi

hold_protected
waiting_for_lock apt -o APT::Update::Error-Mode=any update || fail "the package lists could not be fetched: $output"

simulated=$(apt -s --with-new-pkgs upgrade)
planned=$(say "$simulated" | sed -n 's/^Inst \([^ ]*\).*/\1/p')
kept=$(say "$simulated" | awk '/kept back:$/ { on = 1; next } /^  / { if (on) print; next } { on = 0 }')
# shellcheck disable=SC2086 # one word a package
[ -z "$kept" ] || say 'kept back:' $kept

if [ -z "$planned" ]; then
  say 'nothing to upgrade'
else
  apt --with-new-pkgs --download-only upgrade || fail 'the packages could not be fetched; nothing was upgraded'
  answer changed=yes
  # shellcheck disable=SC2086 # one word a package
  say 'upgrading:' $planned
  apt --with-new-pkgs upgrade || fail 'the upgrade did not end well; see above, then: dpkg --configure -a'
fi

report_versions after
answer_reboot
