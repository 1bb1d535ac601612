import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments, stringify } from 'yaml';
import { ensureHelm, ensureKubectl } from '../binaries.js';
import type { OtherObject } from '../objects.js';
import { runCommand, runCommandOk } from '../runCommand.js';
import type { CommandResult } from '../runCommand.js';

/** The directory `deploy` of the project. */
export const deployDirectory = fileURLToPath(new URL('../../../deploy', import.meta.url));

/** What an overlay of a team may say, as in kustomization.yaml; paths are relative to `deploy`. */
export interface Overlay {
  resources: string[];
  components?: string[];
  images?: { name: string; newName?: string; newTag?: string }[];
}

/** What the chart makes of values. */
export interface Chart {
  objects: OtherObject[];
  notes: string;
  /** What `helm lint` objects to. */
  lint: string[];
}

/** The objects of one of our kustomizations, named from `deploy`, or of an overlay that lies elsewhere. */
export async function renderKustomization(what: string | Overlay): Promise<OtherObject[]> {
  const kubectl = await ensureKubectl();
  if (typeof what === 'string') return objectsOf(await kustomized(kubectl, join(deployDirectory, what)));
  const directory = await mkdtemp(join(tmpdir(), 'turnus-overlay-'));
  try {
    const from = (path: string): string => relative(directory, join(deployDirectory, path));
    const overlay = { ...what, resources: what.resources.map(from), components: (what.components ?? []).map(from) };
    await writeFile(join(directory, 'kustomization.yaml'), stringify(overlay));
    return objectsOf(await kustomized(kubectl, directory));
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function kustomized(kubectl: string, directory: string): Promise<string> {
  return (await runCommandOk(kubectl, ['kustomize', directory])).stdout;
}

/** The objects of the chart, in the order in which Helm installs them. */
export async function renderChart(values: object = {}, namespace = 'turnus-system'): Promise<Chart> {
  const { exitCode, stdout, stderr } = await tryChart(values, namespace);
  if (exitCode !== 0) throw new Error(`The chart cannot be rendered: ${stderr}`);
  const { manifest, notes, lint } = JSON.parse(stdout) as { manifest: string; notes: string; lint: string[] };
  return { objects: objectsOf(manifest), notes, lint };
}

/** The same, where it may be refused. */
export async function tryChart(values: object, namespace = 'turnus-system'): Promise<CommandResult> {
  const asked = { chart: join(deployDirectory, 'helm', 'turnus'), namespace, values: stringify(values) };
  return await runCommand(await ensureHelm(), [], { stdin: JSON.stringify(asked) });
}

/** The objects of a stream of YAML documents. */
export function objectsOf(text: string): OtherObject[] {
  return parseAllDocuments(text).flatMap((document) => {
    const [error] = [...document.errors, ...document.warnings];
    if (error !== undefined) throw error;
    const object = document.toJS() as OtherObject | null;
    return object === null ? [] : [object];
  });
}

/** Objects by kind, namespace and name: for comparisons that do not mind the order. */
export function byIdentity(objects: readonly OtherObject[]): Record<string, OtherObject> {
  const entries = objects.map((object): [string, OtherObject] => [identity(object), object]);
  const result = Object.fromEntries(entries);
  if (Object.keys(result).length !== objects.length) throw new Error('An object stands there twice');
  return result;
}

/** `Kind namespace/name` */
export function identity({ kind, metadata: { namespace, name } }: OtherObject): string {
  return `${kind} ${namespace ?? ''}/${name}`;
}
