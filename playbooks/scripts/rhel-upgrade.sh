#!/bin/sh
# Brings the packages of a RHEL, Rocky Linux or AlmaLinux node (8, 9, 10) up to date. Turnus runs it as root on the
# empty node. Needs dnf-plugins-core or yum-utils (needs-restarting) and grubby, which these systems bring along.
#
# - Asks nothing. Packages that are locked (dnf versionlock) or excluded in the configuration of dnf stay.
# - The kubelet, the container runtime and their companions are excluded for this upgrade (dnf --exclude), unless they
#   are named in TURNUS_LIFT. Nothing is left behind on the host: there are no holds to take back.
# - A package that cannot be upgraded, for example because it needs an excluded one, is skipped and named by dnf.
#   Nothing is removed, but for obsoleted packages and the oldest kernels (installonly_limit in dnf.conf(5)).
# - Answers in $TURNUS_RESULT. Of two lines about the same thing the later one counts:
#     changed=no|yes         no until the moment before packages are changed: a failure before can be undone
#     reboot=required|no     the next boot takes another kernel, or needs-restarting says so; no needs both to say no
#     version.<name>.before=…, version.<name>.after=…     kernel.after is the kernel that the next boot takes
#
# These systems carry dnf 4, which ends with 200 where it meets a lock (dnf(8), "Return values"). dnf 5 knows the same
# options, but waits for its lock without a bound; the timeout of the playbook is the bound there.
set -euf # -f: patterns are for dnf and for comparisons, not for file names

# --- Settings: edit here ------------------------------------------------------------------------------------------

# Packages of the list below that may be upgraded all the same, separated by spaces. Example: "containerd.io runc"
TURNUS_LIFT=${TURNUS_LIFT:-}

# Never upgraded unless named above. Names or patterns (* and ?).
PROTECTED='kubelet kubeadm kubectl kubernetes-cni cri-tools
  cri-o cri-o-* containerd containerd.io containerd-* runc crun conmon docker-ce docker-ce-* moby-engine
  moby-containerd moby-runc rke2-agent rke2-server rke2-common'

# Reported with their versions in addition to the protected ones, where installed.
REPORTED='glibc openssl openssl-libs openssh-server systemd'

# How long another dnf (dnf-automatic, dnf-makecache) is waited for, in seconds.
LOCK_WAIT_SECONDS=${LOCK_WAIT_SECONDS:-300}

# Is there where the system is an image that packages are not installed into. Only tests have a reason to change it.
OSTREE_FLAG=${OSTREE_FLAG:-/run/ostree-booted}

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

[ ! -e "$OSTREE_FLAG" ] || fail "$OSTREE_FLAG exists: this system is an image, upgrade it with bootc or rpm-ostree"
for program in dnf rpm grubby; do
  command -v "$program" >/dev/null 2>&1 || fail "the program $program is missing; nothing was changed"
done
# yum-utils brings the program, dnf-plugins-core (or dnf 5) the command that it stands for.
if command -v needs-restarting >/dev/null 2>&1; then
  needs_restarting=needs-restarting
elif dnf needs-restarting --help >/dev/null 2>&1 </dev/null; then
  needs_restarting='dnf needs-restarting'
else
  fail 'needs-restarting is missing, so nobody could say whether a reboot is required; run: dnf install yum-utils'
fi

# --- Packages -----------------------------------------------------------------------------------------------------

# Installed packages, "name version" a line.
installed() {
  packages=$(rpm -qa --queryformat '%{NAME} %{VERSION}-%{RELEASE}.%{ARCH}\n') || return 1
  say "$packages" | sort
}

# True when the first argument is one of the others, which may be patterns.
is_one_of() {
  name=$1
  shift
  for pattern in "$@"; do
    # shellcheck disable=SC2254 # a pattern is wanted
    case $name in $pattern) return 0 ;; *) ;; esac
  done
  return 1
}

report_versions() { # before | after, then what is installed
  reported=' '
  while read -r package version; do
    # shellcheck disable=SC2086 # words are wanted
    is_one_of "$package" $PROTECTED $REPORTED || continue
    case $reported in *" $package "*) continue ;; *) ;; esac # the same in two architectures
    reported="$reported$package "
    answer "version.$package.$1=$version"
  done <<END
$2
END
}

# The options that keep the protected packages as they are, one for each name or pattern. Of a pattern that stands for a
# package in TURNUS_LIFT, the other packages that are installed are excluded by their names.
exclude_options() { # what is installed
  for protected in $PROTECTED; do
    lifted=no
    for lift in $TURNUS_LIFT; do
      if is_one_of "$lift" "$protected"; then lifted=yes; fi
    done
    if [ "$lifted" = no ]; then
      say "--exclude=$protected"
      continue
    fi
    while read -r package _; do
      # shellcheck disable=SC2086
      if is_one_of "$package" "$protected" && ! is_one_of "$package" $TURNUS_LIFT; then say "--exclude=$package"; fi
    done <<END
$1
END
  done
}

# dnf with everything that keeps it from asking, from waiting for ever and from giving up all for one package.
run_dnf() {
  # shellcheck disable=SC2086 # one word an option
  dnf -y --setopt=exit_on_lock=True --setopt=best=False $excludes "$@"
}

# Runs a command again while another dnf keeps a lock.
waiting_for_lock() {
  waited=0
  while :; do
    status=0
    "$@" </dev/null || status=$?
    [ "$status" -eq 200 ] || return "$status"
    [ "$waited" -lt "$LOCK_WAIT_SECONDS" ] || return 200
    [ "$waited" -gt 0 ] || say "waiting for another dnf to end, at most $LOCK_WAIT_SECONDS s" >&2
    sleep 10
    waited=$((waited + 10))
  done
}

# Ends the script where a command did not end with 0: because of a lock, or for the reason given.
end_unless_done() { # status, reason
  case $1 in
  0) ;;
  200) fail "another dnf kept its lock for $LOCK_WAIT_SECONDS s; nothing was upgraded" ;;
  *) fail "$2" ;;
  esac
}

# --- Reboot -------------------------------------------------------------------------------------------------------

# Release that the next boot takes. Fails where grubby does not name a kernel.
next_kernel() {
  path=$(grubby --default-kernel 2>/dev/null </dev/null) || return 1
  case $path in
  */vmlinuz-?*) say "${path##*/vmlinuz-}" ;;
  *) return 1 ;;
  esac
}

# Sets $hint to what needs-restarting says: required, no, or unknown. It ends with 1 for yes and 0 for no
# (dnf-needs-restarting(8)); but every error of dnf ends with 1 as well, so a 1 counts where it speaks of a reboot or
# says nothing at all.
ask_needs_restarting() {
  status=0
  # shellcheck disable=SC2086 # a program and perhaps a command
  said=$(waiting_for_lock $needs_restarting -r --setopt=exit_on_lock=True 2>&1) || status=$?
  [ -z "$said" ] || say "$said"
  hint=unknown
  case $status in
  0) hint=no ;;
  1)
    case $said in
    '' | *[Rr]eboot*) hint=required ;;
    *) ;;
    esac
    ;;
  *) ;;
  esac
  [ "$hint" != unknown ] || say "$needs_restarting -r ended with $status" >&2
}

answer_reboot() {
  running=$(uname -r)
  reason=
  unknown=
  if next=$(next_kernel); then
    answer "version.kernel.after=$next"
    [ "$next" = "$running" ] || reason="kernel $running runs and the next boot takes $next"
  else
    unknown='grubby does not say which kernel the next boot takes'
  fi
  ask_needs_restarting
  case $hint in
  required) reason=${reason:-'needs-restarting says so'} ;;
  unknown) unknown=${unknown:-'needs-restarting failed'} ;;
  *) ;;
  esac
  if [ -n "$reason" ]; then
    say "reboot required: $reason"
    answer reboot=required
  elif [ -n "$unknown" ]; then
    fail "whether a reboot is required is not known: $unknown, see above"
  else
    say 'no reboot required'
    answer reboot=no
  fi
}

# --- The upgrade --------------------------------------------------------------------------------------------------

before=$(installed) || fail 'the installed packages cannot be listed; see above'
answer "version.kernel.before=$(uname -r)"
report_versions before "$before"
excludes=$(exclude_options "$before")
# shellcheck disable=SC2086 # one word a package
[ -z "$TURNUS_LIFT" ] || say 'may be upgraded:' $TURNUS_LIFT

# An upgrade that was cut off leaves packages installed twice, and the next one would build on that.
status=0
waiting_for_lock dnf --setopt=exit_on_lock=True check --duplicates || status=$?
end_unless_done "$status" 'packages are installed twice or cannot be checked; see above, then: dnf remove --duplicates'

# 100 is yes and 0 is no (dnf(8), "Check Update Command").
updates=0
waiting_for_lock run_dnf --refresh check-update || updates=$?
if [ "$updates" -eq 100 ]; then
  status=0
  waiting_for_lock run_dnf upgrade --downloadonly || status=$?
  end_unless_done "$status" 'the packages could not be chosen or fetched; nothing was upgraded'

  answer changed=yes
  status=0
  waiting_for_lock run_dnf upgrade || status=$?
  after=$(installed) || fail 'the installed packages cannot be listed; see above'
  if [ "$after" = "$before" ] && { [ "$status" -eq 0 ] || [ "$status" -eq 200 ]; }; then
    say 'nothing was upgraded'
    answer changed=no
  fi
  end_unless_done "$status" "the upgrade did not end well ($status); see above, then: dnf history info"
else
  end_unless_done "$updates" "dnf check-update ended with $updates; nothing was upgraded"
  say 'nothing to upgrade'
fi

report_versions after "${after:-$before}"
answer_reboot
