import { bootIdProgram, failedUnitsProgram, inspectText, rebootText } from './hostPrograms.js';
import { defaultHostLayout, type HostLayout } from './jobDirectory.js';
import { cancelText, endIfStarted, readText, startText } from './jobPrograms.js';
import { placesOf, sharedFunctions } from './remoteProgram.js';
import { shellQuote } from './shellQuote.js';

/** Where the scripts are that a restricted key may start. */
export const scriptsDirectory = '/etc/turnus/scripts';

/**
 * `turnus-host`, the program that a restricted key runs whatever it asks for (sshd(8), `command=`): the programs that
 * Turnus else sends, under their names. It takes words of letters, digits, dots, dashes and underscores only, and starts
 * a script only where it is installed on the host, belongs to root, and is byte by byte the one of the playbook.
 */
export function turnusHostScript(
  host: {
    readonly layout: HostLayout;
    readonly scripts: string;
    /** Numeric id of the user that scripts must belong to. */
    readonly owner: number;
  } = { layout: defaultHostLayout, scripts: scriptsDirectory, owner: 0 },
): string {
  return `#!/bin/sh
# turnus-host ${String(turnusHostVersion)}: what Turnus may do on this host with a restricted key. See docs/turnus-host.md.
# Made by "npm run turnus-host"; not to be edited.
LC_ALL=C
export LC_ALL
${placesOf(host.layout)}
scripts=${shellQuote(host.scripts)}
${sharedFunctions}

program_inspect() {
${inspectText}
}

program_boot_id() {
${bootIdProgram.text}
}

program_failed_units() {
${failedUnitsProgram.text}
}

program_reboot() {
${rebootText}
}

${endIfStarted.trim()}

program_start() {
${startText}
}

program_read() {
${readText}
}

program_cancel() {
${cancelText}
}

# The script of that name and digest is here, and nobody but root can change it.
check_script() {
  [ -f "$scripts/$1" ] && [ ! -L "$scripts/$1" ] || fail "the script $1 is not installed in $scripts"
  [ -n "$(find "$scripts/$1" -maxdepth 0 -user ${String(host.owner)} ! -perm -020 ! -perm -002)" ] ||
    fail "the script $scripts/$1 must belong to root and be writable by nobody else"
  command -v sha256sum >/dev/null || fail 'the program sha256sum (package coreutils) is missing'
  digest=$(sha256sum <"$scripts/$1")
  [ "\${digest%% *}" = "$2" ] || fail "the script $scripts/$1 is not the one of the playbook: install that one, or correct the playbook"
}

number() { case $1 in '' | *[!0-9]* | 0?* | ????????????????*) fail "$1 is no number" ;; esac; }

if [ "$#" -eq 0 ]; then
  set -f
  set -- \${SSH_ORIGINAL_COMMAND-}
  set +f
fi
[ "\${1-}" = turnus-host ] || fail 'this key can only be used by Turnus with spec.host.ssh.restricted: true'
[ "\${2-}" = ${String(turnusHostVersion)} ] || fail 'turnus-host on the host is of another version: install the one that came with this Turnus'
verb=\${3-}
shift 3
for word in "$@"; do
  case $word in '' | [!A-Za-z0-9]* | *[!A-Za-z0-9._-]*) fail 'turnus-host takes only plain words' ;; esac
done
case $0 in /*) ;; *) fail 'turnus-host must be started with its whole path' ;; esac
# Root is not needed for the first question after a boot, and sudo may not work yet.
if [ "$(id -u)" -ne 0 ] && [ "$verb" != boot-id ]; then exec sudo -n -- "$0" turnus-host ${String(turnusHostVersion)} "$verb" "$@"; fi
exec </dev/null
unset LC_ALL
case $verb/$# in
  inspect/*)
    while [ "$#" -ge 2 ]; do
      check_script "$1" "$2"
      shift 2
    done
    program_inspect
    ;;
  boot-id/0) program_boot_id ;;
  failed-units/0) program_failed_units ;;
  reboot/1) program_reboot "$1" ;;
  start/8)
    number "$6"
    # A job that is there is followed, whatever has become of its script.
    end_if_started "$base/jobs/$1/$2" "$8"
    check_script "$7" "$8"
    program_start "$1" "$2" "$3" "$4" "$5" "$6" "$(wc -c <"$scripts/$7")" "$8" <"$scripts/$7"
    ;;
  read/3)
    number "$3"
    program_read "$1" "$2" "$3"
    ;;
  cancel/2) program_cancel "$1" "$2" ;;
  *) fail "turnus-host does not know $verb with $# words" ;;
esac
`;
}

/** Counts up where the words or the answers of turnus-host change. */
export const turnusHostVersion = 1;

/** The command line for a restricted key. Throws where a word is not plain: that is a bug, or a name made to break out. */
export function restrictedCommandLine(verb: string, words: readonly string[]): string {
  for (const word of words) {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(word))
      throw new RangeError(`turnus-host takes no word like ${JSON.stringify(word)}`);
  }
  return ['turnus-host', String(turnusHostVersion), verb, ...words].join(' ');
}
