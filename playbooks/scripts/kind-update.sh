#!/bin/sh
# An update for a kind node, to see a real run: appends one line to a file on the node, and changes nothing else.
# Every line is one execution, so a node that was taken once in a month has one line for that run.
set -eu

result=${TURNUS_RESULT:?names the file for the answers; Turnus sets it}
# /var of a kind node is a volume: it is kept when the container is stopped and started.
stamps=${STAMP_FILE:-/var/lib/kind-update.log}

count() {
  if [ -e "$stamps" ]; then grep -c '' "$stamps" || true; else echo 0; fi
}

before=$(count)
printf 'changed=no\nreboot=no\nversion.kind-update.before=%s\n' "$before" >>"$result"

echo changed=yes >>"$result"
printf '%s %s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "${TURNUS_RUN:-by-hand}" "${TURNUS_NODE:-unknown}" >>"$stamps"

after=$(count)
printf 'version.kind-update.after=%s\n' "$after" >>"$result"
echo "line $after in $stamps"
