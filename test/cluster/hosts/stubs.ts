import type { SudoMode } from './hostImage.js';

/**
 * Plays systemctl, and by their names reboot, shutdown, poweroff and halt: asks the host's process 1 to go down.
 * There is no systemd behind it: all other verbs answer what systemctl answers on such a machine.
 */
export const powerStub = `#!/bin/sh
go_down() {
  if [ "$(id -u)" -ne 0 ]; then
    echo "Call to Reboot failed: Interactive authentication required." >&2
    exit 1
  fi
  case "$(cat /run/testbed/reboot-answer)" in
    ignore) exit 0 ;;
    refuse)
      echo "Call to Reboot failed: Operation inhibited by the testbed" >&2
      exit 1
      ;;
  esac
  kill -"$1" 1
  exit 0
}

case "\${0##*/}" in
  reboot) go_down USR1 ;;
  poweroff | halt) go_down USR2 ;;
  shutdown)
    case " $* " in
      *" -c "*) exit 0 ;;
      *" -r "* | *" --reboot "*) go_down USR1 ;;
      *) go_down USR2 ;;
    esac
    ;;
esac
for word in "$@"; do
  case "$word" in
    -*) ;;
    reboot) go_down USR1 ;;
    poweroff | halt) go_down USR2 ;;
    is-system-running)
      echo offline
      exit 1
      ;;
    *) break ;;
  esac
done
echo "System has not been booted with systemd as init system (PID 1). Can't operate." >&2
echo "Failed to connect to bus: Host is down" >&2
exit 1
`;

/** Plays sudo with the rule "maintenance ALL=(ALL) NOPASSWD: ALL", or without NOPASSWD. It resets the environment. */
export function sudoStub(mode: Exclude<SudoMode, 'missing'>): string {
  return `#!/bin/sh
interactive=yes
keep_environment=no
validate=no
while [ $# -gt 0 ]; do
  case "$1" in
    -n | --non-interactive) interactive=no ;;
    -E | --preserve-env) keep_environment=yes ;;
    -v | --validate | -l | --list) validate=yes ;;
    -H | --set-home | -S | --stdin | -k | --reset-timestamp) ;;
    -u | --user)
      if [ "\${2:-}" != root ]; then echo "sudo: this host knows only root" >&2; exit 1; fi
      shift
      ;;
    --)
      shift
      break
      ;;
    -*)
      echo "sudo: invalid option $1" >&2
      exit 1
      ;;
    *) break ;;
  esac
  shift
done
uid=$(id -u)
if [ ${mode} = password-required ] && [ "$uid" -ne 0 ]; then
  if [ $interactive = no ]; then
    echo "sudo: a password is required" >&2
  else
    echo "sudo: a terminal is required to read the password; either use the -S option to read from standard input or configure an askpass helper" >&2
  fi
  exit 1
fi
if [ $# -eq 0 ]; then
  [ $validate = yes ] && exit 0
  echo "usage: sudo [-n] command" >&2
  exit 1
fi
as_root="/usr/local/sbin/testbed-as-root --reuid=0 --regid=0 --clear-groups --"
[ "$uid" -eq 0 ] && as_root=
[ $keep_environment = yes ] && exec $as_root env SUDO_UID="$uid" "$@"
exec env -i PATH="$PATH" HOME=/root LOGNAME=root USER=root SHELL=/bin/bash LANG="\${LANG:-C.UTF-8}" TERM="\${TERM:-dumb}" \\
  SUDO_USER="$(id -un)" SUDO_UID="$uid" SUDO_GID="$(id -g)" SUDO_COMMAND="$*" $as_root env "$@"
`;
}
