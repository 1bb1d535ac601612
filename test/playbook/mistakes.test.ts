import { describe, expect, it } from 'vitest';
import { mistakesOf, playbookWith } from './playbookFiles.js';

describe('a misspelt key', () => {
  it.each([
    ['  drain: {timout: 15m}', '9:11 spec.drain.timout: unknown field; did you mean timeout?'],
    ['  drian: {}', '9:3 spec.drian: unknown field; did you mean drain?'],
    ['  health: {daemonsets: true}', '9:12 spec.health.daemonsets: unknown field; did you mean daemonSets?'],
    ['  settle: {time: 5s, colour: red}', '9:22 spec.settle.colour: unknown field; allowed here: time, timeout'],
    ['  settle: {"": 5s}', '9:12 spec.settle[""]: unknown field; allowed here: time, timeout'],
    ['  settle: {"a\\nb.c": 5s}', '9:12 spec.settle["a\\nb.c"]: unknown field; allowed here: time, timeout'],
    ['  settle: {__proto__: {time: 1s}}', '9:12 spec.settle.__proto__: unknown field; allowed here: time, timeout'],
    ['  <<: {settle: {time: 5s}}', '9:3 spec["<<"]: merge keys (<<) are not part of YAML 1.2; write the fields out'],
  ])('in "%s" is named with what was meant', async (line, expected) => {
    expect(await mistakesOf(playbookWith(line))).toEqual([`monthly.yaml:${expected}`]);
  });
});

describe('a wrong value', () => {
  const duration = 'expected a duration such as 90s, 15m or 1h30m';
  it.each([
    ['  drain: {timeout: 15 min}', `9:20 spec.drain.timeout: ${duration}, not "15 min"`],
    ['  drain: {timeout: "15"}', `9:20 spec.drain.timeout: ${duration}, not "15"`],
    ['  drain: {timeout: 900}', `9:20 spec.drain.timeout: ${duration}, not 900`],
    ['  drain: {timeout: ""}', `9:20 spec.drain.timeout: ${duration}, not ""`],
    ['  drain: {timeout: -5m}', `9:20 spec.drain.timeout: ${duration}, not "-5m"`],
    ['  drain: {timeout: 0s}', '9:20 spec.drain.timeout: expected a duration longer than 0s, not "0s"'],
    ['  drain: {timeout: 8d}', '9:20 spec.drain.timeout: expected a duration of at most 7d, not "8d"'],
    [
      `  drain: {timeout: ${'9'.repeat(400)}h}`,
      `9:20 spec.drain.timeout: expected a duration of at most 7d, not "${'9'.repeat(57)}..."`,
    ],
    ['  drain: {timeout: [15m]}', `9:20 spec.drain.timeout: ${duration}, not a list`],
    ['  drain: {timeout: {m: 15}}', `9:20 spec.drain.timeout: ${duration}, not a mapping`],
    ['  runHistoryLimit: 0', '9:20 spec.runHistoryLimit: expected a whole number from 1 to 1000, not 0'],
    ['  runHistoryLimit: 1001', '9:20 spec.runHistoryLimit: expected a whole number from 1 to 1000, not 1001'],
    ['  drain: {attempts: 0}', '9:21 spec.drain.attempts: expected a whole number from 1 to 100, not 0'],
    ['  drain: {attempts: 1.5}', '9:21 spec.drain.attempts: expected a whole number from 1 to 100, not 1.5'],
    ['  drain: {attempts: "2"}', '9:21 spec.drain.attempts: expected a whole number from 1 to 100, not "2"'],
    [
      '  drain: {localData: delte}',
      '9:22 spec.drain.localData: expected delete or block, not "delte"; did you mean delete?',
    ],
    ['  drain: {jobPods: 1}', '9:20 spec.drain.jobPods: expected wait, evict or block, not 1'],
    [
      '  drain: {waitForReplacements: yes}',
      '9:32 spec.drain.waitForReplacements: expected true or false, not "yes"; write true',
    ],
    ['  health: {daemonSets: Off}', '9:24 spec.health.daemonSets: expected true or false, not "Off"; write false'],
    ['  health: {daemonSets: 1}', '9:24 spec.health.daemonSets: expected true or false, not 1'],
    ['  health: {commands: systemctl}', '9:22 spec.health.commands: expected a list of commands, not "systemctl"'],
    ['  health: {commands: [1]}', '9:23 spec.health.commands[0]: expected a command on one line, not 1'],
    [
      '  gates: {managedBudgets: [{selector: app=ceph}, {namespaces: {}}]}',
      '9:50 spec.gates.managedBudgets[1]: means every budget of the cluster; name the namespaces, or give a selector',
    ],
    [
      '  gates: {overrides: [{singletons: block}]}',
      '9:23 spec.gates.overrides[0]: means every namespace; name the labels of the namespaces, or change spec.gates.replicaSpread instead',
    ],
    [
      '  gates: {overrides: [{namespaces: {team: acme}, singletons: allow}, {namespaces: {team: acme}}]}',
      '9:70 spec.gates.overrides[1]: changes nothing; give singletons, minReadyElsewhere or both',
    ],
    [
      '  drain: {overrides: [{namespaces: {team: acme}, do: wait}, {selector: "", do: leave}]}',
      '9:61 spec.drain.overrides[1]: means every pod of the cluster; name the namespaces, or give a selector',
    ],
    [
      '  drain: {overrides: [{selector: app=db}]}',
      '9:23 spec.drain.overrides[0].do: is missing; expected evict, leave, wait or block',
    ],
    [
      '  drain: {overrides: [{selector: app=db, do: keep}]}',
      '9:46 spec.drain.overrides[0].do: expected evict, leave, wait or block, not "keep"',
    ],
    [
      '  health: {consecutive: 10, interval: 1m, timeout: 9m}',
      '9:52 spec.health.timeout: 9m is too short for 10 checks in a row, one every 1m; allow more time or fewer checks',
    ],
    [
      '  nodes: {maxUnavailable: 101%}',
      '9:27 spec.nodes.maxUnavailable: expected a whole number from 1, or a share from 1% to 100%, not "101%"',
    ],
    [
      '  nodes: {maxUnavailable: 0}',
      '9:27 spec.nodes.maxUnavailable: expected a whole number from 1, or a share from 1% to 100%, not 0',
    ],
    [
      '  gates: {replicaSpread: {minReadyElsewhere: half}}',
      '9:46 spec.gates.replicaSpread.minReadyElsewhere: expected a whole number from 0, or a share from 0% to 100%, not "half"',
    ],
    [
      '  duringTurn: {annotations: {turnus.dev/hold: x}}',
      '9:30 spec.duringTurn.annotations["turnus.dev/hold"]: is a key of turnus.dev, which Turnus writes itself; choose another key',
    ],
    [
      '  duringTurn: {labels: {kubernetes.io/hostname: x}}',
      '9:25 spec.duringTurn.labels["kubernetes.io/hostname"]: names the node to its pods and volumes; choose another key',
    ],
    [
      '  duringTurn: {labels: {out of order: x}}',
      '9:25 spec.duringTurn.labels["out of order"]: is no key; expected one such as cluster-autoscaler.kubernetes.io/scale-down-disabled',
    ],
    [
      '  duringTurn: {labels: {state: under maintenance}}',
      '9:32 spec.duringTurn.labels.state: expected the value of a label: at most 63 letters, digits, -, _ and ., a letter or digit first and last, not "under maintenance"',
    ],
    ['  duringTurn: {labels: {state: 1}}', '9:32 spec.duringTurn.labels.state: expected a text, not 1'],
    ['  nodes: {canaries: -1}', '9:21 spec.nodes.canaries: expected a whole number from 0 to 10000, not -1'],
    [
      '  nodes: {order: []}',
      '9:18 spec.nodes.order: expected a list that names longestSinceTurn, name or both, each once',
    ],
    ['  nodes: {order: [age]}', '9:19 spec.nodes.order[0]: expected longestSinceTurn or name, not "age"'],
    [
      '  nodes: {exclude: "a b"}',
      '9:20 spec.nodes.exclude: expected a label key such as turnus.dev/exclude, not "a b"',
    ],
    [
      '  nodes: {selector: "pool in ("}',
      '9:21 spec.nodes.selector: expected a label selector such as pool=workers or "tier in (web,db),!spot", not "pool in ("; "pool in (" is no label key',
    ],
    [
      '  schedule: {timeZone: Europe/Zürich}',
      '9:24 spec.schedule.timeZone: expected an IANA time zone such as Europe/Zurich, not "Europe/Zürich"; did you mean Europe/Zurich?',
    ],
    [
      '  schedule: {timeZone: "+02:00"}',
      '9:24 spec.schedule.timeZone: expected an IANA time zone such as Europe/Zurich, not "+02:00"',
    ],
    [
      '  health:',
      '9:3 spec.health: expected a mapping with consecutive, interval, timeout, daemonSets, commands, but nothing is written there; fill it in or leave the field out',
    ],
    [
      '    identity: {path: "-----BEGIN OPENSSH PRIVATE KEY-----\\nx"}',
      '9:5 spec.host.identity: unknown field; allowed here: ssh, prepare, leave, update, join, reboot',
    ],
  ])('in "%s" is named with what is allowed', async (line, expected) => {
    expect(await mistakesOf(playbookWith(line))).toEqual([`monthly.yaml:${expected}`]);
  });

  it.each([
    [
      'user: maintenance',
      'user: "a b"',
      '7:17 spec.host.ssh.user: expected the name of a user on the host, without spaces, not "a b"',
    ],
    [
      'user: maintenance, ',
      '',
      '7:5 spec.host.ssh.user: is missing; expected the name of a user on the host, without spaces',
    ],
    [
      'user: maintenance, ',
      'config: {path: ./none}, ',
      '7:26 spec.host.ssh.config.path: there is no file /team/none; paths are relative to the playbook, or below the home directory as ~/',
    ],
    [
      'user: maintenance',
      'user: a, bastion: jump',
      '7:29 spec.host.ssh.bastion: expected a mapping with host, port, user or a list of them, not "jump"',
    ],
    [
      'user: maintenance',
      'user: a, bastion: [{host: b}, {host: c, prot: 1}]',
      '7:51 spec.host.ssh.bastion[1].prot: unknown field; did you mean port?',
    ],
    [
      'user: maintenance',
      'user: a, bastion: {host: "-oProxyCommand"}',
      '7:36 spec.host.ssh.bastion.host: expected a host name or an IP address, not "-oProxyCommand"',
    ],
    [
      'user: maintenance',
      'user: a, identityPassphrase: {path: ./passphrase}',
      '7:20 spec.host.ssh.identityPassphrase: opens a private key, and none is named; add spec.host.ssh.identity',
    ],
    [
      'user: maintenance',
      'user: a, port: 70000',
      '7:26 spec.host.ssh.port: expected a whole number from 1 to 65535, not 70000',
    ],
    [
      'user: maintenance',
      'user: a, address: internalIP',
      '7:29 spec.host.ssh.address: expected InternalIP, ExternalIP, Hostname, InternalDNS or ExternalDNS, not "internalIP"; did you mean InternalIP?',
    ],
    [
      'user: maintenance',
      'user: a, fingerprints: {node-1: "SHA256:abc"}',
      '7:43 spec.host.ssh.fingerprints.node-1: expected a fingerprint as ssh-keygen -l prints it: SHA256: and 43 characters, not "SHA256:abc"',
    ],
    [
      'user: maintenance',
      `user: a, fingerprints: {Node_1: "SHA256:${'a'.repeat(43)}"}`,
      '7:35 spec.host.ssh.fingerprints.Node_1: expected the name of a node, not "Node_1"',
    ],
    [
      '{path: known_hosts}',
      'known_hosts',
      '7:42 spec.host.ssh.knownHosts: expected a file ({path: …}) or a list of files, not "known_hosts"',
    ],
    [
      '{path: known_hosts}',
      '{paht: known_hosts}',
      '7:43 spec.host.ssh.knownHosts.paht: unknown field; did you mean path?',
    ],
    [
      '{path: known_hosts}',
      '[{path: 5}]',
      '7:50 spec.host.ssh.knownHosts[0].path: expected the path of a file: absolute, relative to the playbook, or below the home directory as ~/, not 5',
    ],
    [
      '{path: known_hosts}',
      '{path: ~ops/known_hosts}',
      '7:49 spec.host.ssh.knownHosts.path: expected the path of a file: absolute, relative to the playbook, or below the home directory as ~/, not "~ops/known_hosts"',
    ],
    [
      '{path: known_hosts}',
      '{}',
      '7:42 spec.host.ssh.knownHosts: expected exactly one of path, configMapKeyRef, secretKeyRef',
    ],
    [
      ', knownHosts: {path: known_hosts}',
      '',
      '7:5 spec.host.ssh.knownHosts: is missing: host keys are always verified; give a known_hosts file, such as {path: ~/.ssh/known_hosts}, or fingerprints',
    ],
    [
      '{path: known_hosts}',
      '{path: known_hosts}, identity: {path: "-----BEGIN OPENSSH PRIVATE KEY-----\\nx"}',
      '7:80 spec.host.ssh.identity.path: expected the path of a file: absolute, relative to the playbook, or below the home directory as ~/, not the text of a private key',
    ],
    [
      '{path: known_hosts}}',
      '{path: known_hosts}, restricted: true}\n    prepare: {script: {path: "./get packages.sh"}}',
      '8:30 spec.host.prepare.script.path: needs a file name of letters, digits, dots, dashes and underscores: with spec.host.ssh.restricted the host knows the script by it',
    ],
    [
      'knownHosts: {path: known_hosts}}\n    update: {script: {path: ./update.sh}}',
      'knownHosts: {path: known_hosts}, restricted: true}\n    update: {script: {path: ./update.sh}}\n  health: {commands: ["true"]}',
      '9:22 spec.health.commands: cannot run with spec.host.ssh.restricted: the key starts installed scripts only; check the same in the script `join`',
    ],
    ['turnus.dev/v1alpha1', 'turnus.dev/v1', '1:13 apiVersion: expected turnus.dev/v1alpha1, not "turnus.dev/v1"'],
    ['kind: Playbook', 'kind: Deployment', '2:7 kind: expected Playbook, not "Deployment"'],
    ['kind: Playbook\n', '', '1:1 kind: is missing; expected Playbook'],
    [
      'name: monthly',
      'name: Monthly',
      '3:18 metadata.name: expected a name of at most 40 small letters, digits and hyphens, not "Monthly"',
    ],
    [
      'name: monthly',
      `name: ${'m'.repeat(41)}`,
      `3:18 metadata.name: expected a name of at most 40 small letters, digits and hyphens, not "${'m'.repeat(41)}"`,
    ],
    [
      'name: monthly',
      'name: 2026',
      '3:18 metadata.name: expected a name of at most 40 small letters, digits and hyphens, not 2026',
    ],
    [
      'uid: 6f1c0a52',
      'uid: zz',
      '5:18 spec.cluster.uid: expected the uid of namespace kube-system, see kubectl get namespace kube-system -o jsonpath={.metadata.uid}, not "zz-1111-4222-8333-444455556666"',
    ],
    [
      'update: {script: {path: ./update.sh}}',
      'reboot: {when: required}',
      '8:20 spec.host.reboot.when: required needs an update script that says so, and there is no spec.host.update; add it, or write always or never',
    ],
    [
      '    update: {script: {path: ./update.sh}}\n',
      '',
      '6:3 spec.host.reboot.when: required needs an update script that says so, and there is no spec.host.update; add it, or write always or never',
    ],
  ])('where "%s" became "%s" is named with what is allowed', async (from, to, expected) => {
    const text = playbookWith();
    expect(text).toContain(from);
    const mistakes = await mistakesOf(text.replace(from, to));
    expect(mistakes).toEqual([`monthly.yaml:${expected}`]);
  });
});

describe('where a run is recorded and who is told', () => {
  const secret = 'secret: {path: ./passphrase}';
  const wantsUrl = 'expected a URL such as https://hooks.example/turnus';
  it.each([
    ['  journal: {}', '9:12 spec.journal: expected exactly one of file, stdout'],
    ['  journal: {file: ./j, stdout: true}', '9:12 spec.journal: expected exactly one of file, stdout'],
    [
      '  journal: {stdout: false}',
      '9:21 spec.journal.stdout: expected true, not false; leave the field out where the journal goes elsewhere',
    ],
    [
      '  journal: {file: ""}',
      '9:19 spec.journal.file: expected the path of a file: absolute, relative to the playbook, or below the home directory as ~/, not ""',
    ],
    ['  journal: /var/log/j', '9:12 spec.journal: expected a mapping with file, stdout, not "/var/log/j"'],
    ['  notify: {webhooks: []}', '9:22 spec.notify.webhooks: expected at least one webhook, not a list'],
    ['  notify: {before: 72h}', '9:3 spec.notify.webhooks: is missing; expected a list of webhooks ({url, secret})'],
    [
      `  notify: {webhooks: [{url: "https://a.example/", ${secret}}], before: 15d}`,
      '9:91 spec.notify.before: expected a duration of at most 14d, not "15d"',
    ],
    [
      '  notify: {webhooks: [{url: "https://a.example/"}]}',
      '9:23 spec.notify.webhooks[0].secret: is missing; expected a mapping with path, configMapKeyRef, secretKeyRef',
    ],
    [
      '  notify: {webhooks: [{url: "https://a.example/", secret: {path: ./empty.sh}}]}',
      '9:66 spec.notify.webhooks[0].secret.path: /team/empty.sh is empty, and signs nothing',
    ],
    [
      `  notify: {webhooks: [{url: "https://a.example/", events: [turn.starts], ${secret}}]}`,
      '9:60 spec.notify.webhooks[0].events[0]: expected plan.ready, window.opened, turn.started, turn.finished, turn.failed, window.closed or run.finished, not "turn.starts"; did you mean turn.started?',
    ],
    ...[
      [
        'http://a.example/',
        'expected https, not "http://a.example/"; http is for loopback addresses such as http://127.0.0.1:8080/',
      ],
      ['http://127.0.0.1.example/', 'expected https, not "http://127.0.0.1.example/"; http is for'],
      ['ftp://127.0.0.1/', `${wantsUrl}, not "ftp://127.0.0.1/"`],
      ['a.example', `${wantsUrl}, not "a.example"`],
      ['https://a b/', `${wantsUrl}, not "https://a b/"`],
      [
        'https://me:word@a.example/',
        'expected a URL without user and password, not a URL with user and password; the secret proves who sends',
      ],
    ].map(([url = '', says = '']) => [
      `  notify: {webhooks: [{url: "${url}", ${secret}}]}`,
      `9:29 spec.notify.webhooks[0].url: ${says}`,
    ]),
  ])('is one mistake where it is %s', async (line, expected) => {
    const mistakes = await mistakesOf(playbookWith(line));
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]?.startsWith(`monthly.yaml:${expected}`), mistakes[0]).toBe(true);
  });

  it.each(['https://a.example/hook?x=1', 'http://127.0.0.1:8080/', 'http://[::1]:8080/', 'http://localhost/'])(
    'may be told at %s',
    async (url) => {
      expect(await mistakesOf(playbookWith(`  notify: {webhooks: [{url: "${url}", ${secret}}], before: 14d}`))).toEqual(
        [],
      );
    },
  );
});

describe('a file in the cluster', () => {
  it.each([
    [
      '  schedule: {freezes: [{name: Holidays, calendar: {configMapKeyRef: {name: days, key: days.ics}}}]}',
      '9:52 spec.schedule.freezes[0].calendar.configMapKeyRef: only a Playbook object in the cluster can name it; in a file write {path: …}',
    ],
    [
      '    join: {script: {configMapKeyRef: {name: scripts, key: join.sh}}}',
      '9:21 spec.host.join.script.configMapKeyRef: only a Playbook object in the cluster can name it; in a file write {path: …}',
    ],
    [
      '    join: {script: {secretKeyRef: {name: scripts, key: join.sh}}}',
      '9:21 spec.host.join.script.secretKeyRef: only a Playbook object',
    ],
  ])('is refused in a file with the reason: %s', async (line, expected) => {
    const mistakes = await mistakesOf(playbookWith(line));
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]?.startsWith(`monthly.yaml:${expected}`), mistakes[0]).toBe(true);
  });

  it('with a misspelt value is told the values of the field', async () => {
    expect(await mistakesOf(playbookWith('  nodes: {steer: tiant}'))).toEqual([
      'monthly.yaml:9:18 spec.nodes.steer: expected taint or off, not "tiant"; did you mean taint?',
    ]);
  });
});

describe('faults of the YAML', () => {
  it.each([
    ['  drain: {attempts: 1}\n  drain: {attempts: 2}', ['10:3 spec.drain: is written twice; it is already in line 9']],
    ['  drain:\n\t timeout: 15m', ['10:1: a tab indents this line; YAML allows only spaces there']],
    ['---\nkind: Playbook', ['9:1: a second YAML document begins here; a playbook is one document in one file']],
    ['  drain: {timeout: *none}', ['9:20 spec.drain.timeout: there is no anchor &none before this alias']],
    [
      '  drain: {timeout: !minutes 15}',
      [
        '9:20: this YAML tag is not known; write the value without a tag',
        '9:29 spec.drain.timeout: expected a duration such as 90s, 15m or 1h30m, not "15"',
      ],
    ],
    ['  drain: {timeout: "15m}', ['10:1: is not YAML: Missing closing "quote']],
  ])('are named with their place: %j', async (lines, expected) => {
    const mistakes = await mistakesOf(playbookWith(...lines.split('\n')));
    expect(mistakes.slice(0, expected.length)).toEqual(expected.map((line) => `monthly.yaml:${line}`));
  });

  it('of the version 1.1 are refused, because yes and no mean something else there', async () => {
    expect((await mistakesOf(`%YAML 1.1\n---\n${playbookWith()}`))[0]).toContain('is marked as YAML 1.1');
  });

  it('do not hide what is wrong before them, and make no noise about what follows', async () => {
    const mistakes = await mistakesOf(
      playbookWith('  drain: {timeout: 5}', '  health: {interval: [', '  settle: {tim: 5}'),
    );
    expect(mistakes[0]).toBe(
      'monthly.yaml:9:20 spec.drain.timeout: expected a duration such as 90s, 15m or 1h30m, not 5',
    );
    expect(
      mistakes.slice(1).every((line) => line.includes('is not YAML')),
      mistakes.join('\n'),
    ).toBe(true);
  });
});

it('names every mistake at once, in the order of the text', async () => {
  const text = [
    'apiVersion: turnus.dev/v1alpha1',
    'kind: Playbok',
    'metadata: {name: monthly, label: x}',
    'spec:',
    '  schedule:',
    '    windows: [{opens: "0 22 * * 2"}]',
    '  drain:',
    '    timeout: 15 min',
    '    attempts: 2',
    '    attempts: none',
    '  host:',
    '    ssh: {knownHosts: [{path: nope}]}',
    '    update: {script: {path: no-shebang.sh}}',
    '',
  ].join('\n');
  expect(await mistakesOf(text)).toEqual([
    'monthly.yaml:2:7 kind: expected Playbook, not "Playbok"',
    'monthly.yaml:3:27 metadata.label: unknown field; allowed here: name',
    'monthly.yaml:6:15 spec.schedule.windows[0].duration: is missing; expected a duration such as 90s, 15m or 1h30m',
    'monthly.yaml:8:14 spec.drain.timeout: expected a duration such as 90s, 15m or 1h30m, not "15 min"',
    'monthly.yaml:10:5 spec.drain.attempts: is written twice; it is already in line 9',
    'monthly.yaml:10:15 spec.drain.attempts: expected a whole number from 1 to 100, not "none"',
    'monthly.yaml:12:5 spec.host.ssh.user: is missing; expected the name of a user on the host, without spaces',
    'monthly.yaml:12:31 spec.host.ssh.knownHosts[0].path: there is no file /team/nope; paths are relative to the playbook, or below the home directory as ~/',
    'monthly.yaml:13:29 spec.host.update.script.path: /team/no-shebang.sh does not begin with a #! line; begin it with one such as #!/bin/sh',
  ]);
});
