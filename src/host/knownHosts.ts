import { createHash } from 'node:crypto';
import { hasPattern, matchesHostField, parseHostField, type HostField } from './knownHostsPattern.js';

/** A known_hosts file, read. Its format: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". */
export interface KnownHostsFile {
  readonly path: string;
  readonly entries: readonly KnownHostsEntry[];
  /** Lines that are not understood and therefore not used. */
  readonly problems: readonly { readonly where: string; readonly message: string }[];
}

interface KnownHostsEntry {
  /** `file:line` */
  readonly where: string;
  readonly path: string;
  readonly marker: 'none' | 'revoked' | 'cert-authority';
  readonly hosts: HostField;
  readonly keyType: string;
  /** The public key as in the SSH protocol (RFC 4253, 6.6). */
  readonly key: Buffer;
}

/** Under what a host may be listed, and the port that it is reached at. */
export interface HostIdentity {
  /** Address first, further names after it. */
  readonly names: readonly string[];
  readonly port: number;
}

export type HostKeyVerdict =
  | { readonly kind: 'known'; readonly fingerprint: string; readonly where: string }
  /** No line for this host holds a key of this type; `otherTypes` are the types that the lines for it do hold. */
  | { readonly kind: 'unknown'; readonly fingerprint: string; readonly otherTypes: readonly string[] }
  | {
      readonly kind: 'mismatch';
      readonly fingerprint: string;
      readonly where: string;
      /** `SHA256:…` of the key that is expected. */
      readonly expected: string;
      /** The line that expects it; undefined where the playbook does. */
      readonly line?: OutdatedLine;
    }
  | { readonly kind: 'revoked'; readonly fingerprint: string; readonly where: string }
  | { readonly kind: 'unsupported'; readonly fingerprint: string; readonly message: string };

/** A line of known_hosts that holds another key than the host shows. */
export interface OutdatedLine {
  readonly path: string;
  /** What the line calls the host: `name`, or `[name]:port`. `ssh-keygen -R` takes its lines out by that. */
  readonly name: string;
  /** Whether it may mean other hosts as well, so that `ssh-keygen -R` leaves it in. */
  readonly hasPattern: boolean;
}

/** Reads a known_hosts file. Lines that are not understood are reported and not used. */
export function parseKnownHosts(text: string, path: string): KnownHostsFile {
  const entries: KnownHostsEntry[] = [];
  const problems: { where: string; message: string }[] = [];
  for (const [index, rawLine] of text.split('\n').entries()) {
    const line = rawLine.trim();
    if (line === '' || line.startsWith('#')) continue;
    const where = `${path}:${String(index + 1)}`;
    const entry = parseLine(line, { where, path });
    if (typeof entry === 'string') problems.push({ where, message: entry });
    else entries.push(entry);
  }
  return { path, entries, problems };
}

/**
 * Is this the key of that host? A revoked key never is; then a fingerprint pinned in the playbook decides; then the
 * lines for the host's names. As in OpenSSH (sshconnect.c, hostfile.c) one line with this key is enough for a name, a
 * key of the same type with another value is a mismatch, and at another port than 22 a line without a port counts when
 * it holds this key. One name that does not agree is enough for a mismatch.
 */
export function verifyHostKey(question: {
  readonly files: readonly KnownHostsFile[];
  readonly host: HostIdentity;
  readonly key: Buffer;
  /** `SHA256:…` of the playbook. */
  readonly pinned?: string | undefined;
}): HostKeyVerdict {
  const { files, host, key, pinned } = question;
  const fingerprint = fingerprintOf(key);
  const listed = entriesFor(files, host, 'with-port');
  const listedWithoutPort = entriesFor(files, host, 'without-port');
  const isThisKey = (entry: KnownHostsEntry) => entry.key.equals(key);

  const revoked = [...listed, ...listedWithoutPort].find((entry) => entry.marker === 'revoked' && isThisKey(entry));
  if (revoked !== undefined) return { kind: 'revoked', fingerprint, where: revoked.where };

  if (pinned !== undefined) {
    const where = 'host.ssh.fingerprints of the playbook';
    const expected = normalisedFingerprint(pinned);
    return expected === fingerprint
      ? { kind: 'known', fingerprint, where }
      : { kind: 'mismatch', fingerprint, where, expected };
  }

  const keyType = keyTypeOf(key);
  const plain = listed.filter((entry) => entry.marker === 'none');
  let same: KnownHostsEntry | undefined;
  for (const name of host.names) {
    const lines = entriesFor(files, { ...host, names: [name] }, 'with-port').filter((entry) => entry.marker === 'none');
    const sameHere = lines.find(isThisKey);
    same ??= sameHere;
    const other = sameHere === undefined ? lines.find((entry) => entry.keyType === keyType) : undefined;
    if (other !== undefined) return mismatch(fingerprint, other, lookupName(name, host.port));
  }
  if (same !== undefined) return { kind: 'known', fingerprint, where: same.where };
  const sameWithoutPort = listedWithoutPort.find((entry) => entry.marker === 'none' && isThisKey(entry));
  if (sameWithoutPort !== undefined) return { kind: 'known', fingerprint, where: sameWithoutPort.where };

  const authority = listed.find((entry) => entry.marker === 'cert-authority');
  if (authority !== undefined && plain.length === 0) {
    const message = `${authority.where} trusts a certificate authority for this host, and host certificates are not supported`;
    return { kind: 'unsupported', fingerprint, message };
  }
  return { kind: 'unknown', fingerprint, otherTypes: [...new Set(plain.map((entry) => entry.keyType))] };
}

/**
 * The types of the keys that are listed for a host, in the order of the lines: the handshake prefers them, so that a
 * host with several keys shows one that can be verified (as OpenSSH does, sshconnect2.c `order_hostkeyalgs`).
 */
export function knownKeyTypes(files: readonly KnownHostsFile[], host: HostIdentity): readonly string[] {
  const typesOf = (form: 'with-port' | 'without-port') =>
    entriesFor(files, host, form)
      .filter((entry) => entry.marker === 'none')
      .map((entry) => entry.keyType);
  const types = typesOf('with-port');
  return [...new Set(types.length > 0 ? types : typesOf('without-port'))];
}

/** `SHA256:…` as ssh-keygen prints it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The line that makes this key known, to be added after a person has compared the fingerprint. */
export function knownHostsLine(host: HostIdentity, key: Buffer): string {
  return `${lookupName(host.names[0] ?? '', host.port)} ${keyTypeOf(key) ?? ''} ${key.toString('base64')}`;
}

/** The type that a public key names itself (RFC 4253, 6.6: it begins with a string of 32-bit length). */
export function keyTypeOf(key: Buffer): string | undefined {
  if (key.length < 4) return undefined;
  const end = 4 + key.readUInt32BE(0);
  return end > key.length ? undefined : key.toString('latin1', 4, end);
}

function parseLine(line: string, place: { readonly where: string; readonly path: string }): KnownHostsEntry | string {
  const fields = line.split(/[ \t]+/);
  const marker = fields[0]?.startsWith('@') === true ? fields.shift() : undefined;
  if (marker !== undefined && marker !== '@revoked' && marker !== '@cert-authority')
    return `the marker ${marker} is not known`;
  const [hostField, keyType, encoded] = fields;
  if (hostField === undefined || keyType === undefined || encoded === undefined) {
    return 'a line needs host names, a key type and a key';
  }
  const hosts = parseHostField(hostField);
  if (hosts === undefined) return 'the hashed host name is damaged';
  const key = Buffer.from(encoded, 'base64');
  if (keyTypeOf(key) !== keyType) return `the key is damaged or not of type ${keyType}`;
  const kind = marker === undefined ? 'none' : marker === '@revoked' ? 'revoked' : 'cert-authority';
  return { ...place, marker: kind, hosts, keyType, key };
}

/** Entries for any name of the host; `without-port` finds nothing more at port 22, where the names are bare anyway. */
function entriesFor(
  files: readonly KnownHostsFile[],
  host: HostIdentity,
  form: 'with-port' | 'without-port',
): readonly KnownHostsEntry[] {
  const names = host.names.map((name) => (form === 'with-port' ? lookupName(name, host.port) : name));
  return files.flatMap((file) =>
    file.entries.filter((entry) => names.some((name) => matchesHostField(entry.hosts, name))),
  );
}

function lookupName(name: string, port: number): string {
  return port === 22 ? name : `[${name}]:${String(port)}`;
}

function mismatch(fingerprint: string, { where, path, hosts, key }: KnownHostsEntry, name: string): HostKeyVerdict {
  const line = { path, name, hasPattern: hasPattern(hosts) };
  return { kind: 'mismatch', fingerprint, where, expected: fingerprintOf(key), line };
}

function normalisedFingerprint(text: string): string {
  return text.trim().replace(/=+$/, '');
}
