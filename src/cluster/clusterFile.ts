/** A file that is kept as one key of a ConfigMap or a Secret. */
export interface ClusterFile {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
  readonly key: string;
}

/**
 * The path by which everything that reads files knows it: `configmap:NAME/KEY`, `secret:NAME/KEY`. No file of a machine
 * has such a path, because those are absolute; the last segment is a file name, as in any path.
 */
export function clusterFilePath({ kind, name, key }: ClusterFile): string {
  return `${kind.toLowerCase()}:${name}/${key}`;
}

/** The file behind such a path; undefined where it is the path of a file of this machine. */
export function parseClusterFilePath(path: string): ClusterFile | undefined {
  const parts = /^(?<scheme>configmap|secret):(?<name>[^/]+)\/(?<key>[^/]+)$/.exec(path)?.groups;
  if (parts === undefined) return undefined;
  const { scheme, name = '', key = '' } = parts;
  return { kind: scheme === 'secret' ? 'Secret' : 'ConfigMap', name, key };
}

/** The file as people call it: `key KEY of ConfigMap NAME`, or the path. */
export function shownFile(path: string): string {
  const file = parseClusterFilePath(path);
  return file === undefined ? path : `key ${file.key} of ${file.kind} ${file.name}`;
}
