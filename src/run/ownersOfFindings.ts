import type { Responsible } from '../cluster/responsible.js';
import type { ClusterView } from '../cluster/view.js';
import { findingCatalogue, type Finding, type FindingCode, type Severity } from '../gates/finding.js';
import { concernsOn, type Concern } from './concerns.js';

/** Every finding of a plan where those find it who can end it. What blocks stands first, everywhere. */
export interface FindingsByOwner {
  readonly namespaces: readonly NamespaceFindings[];
  /** What concerns no workload: nodes, hosts, the cluster. */
  readonly platform: readonly GatheredFinding[];
}

export interface NamespaceFindings {
  readonly namespace: string;
  readonly responsible: Responsible;
  readonly owners: readonly OwnerFindings[];
}

export interface OwnerFindings {
  /** `Kind namespace/name`. */
  readonly owner: string;
  /** What the namespace does not say with the same words. */
  readonly responsible: Responsible;
  readonly findings: readonly GatheredFinding[];
}

/** What is said with one code about one owner, on all nodes. */
export interface GatheredFinding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** When this code is given, as the catalogue of findings has it. */
  readonly meaning: string;
  /** In the order of the plan. */
  readonly nodes: readonly string[];
  /** Those of the namespace. */
  readonly objects: readonly string[];
  /** Pods of the owner, as `namespace/name`. */
  readonly pods: readonly string[];
  /** Different sentences with their numbers; [] where they would tell of other namespaces too. */
  readonly messages: readonly string[];
  /** What to change. */
  readonly hints: readonly string[];
}

/** Gathers findings by namespace and owner, on the view that they were made on. */
export function ownersOfFindings(
  view: ClusterView,
  nodes: readonly { readonly node: string; readonly findings: readonly Finding[] }[],
): FindingsByOwner {
  const concernsOf = concernsOn(view);
  const owners = new Map<string, { readonly concern: Concern; readonly gathering: Gathering }>();
  const platform: Gathering = new Map();
  for (const { node, findings } of nodes) {
    for (const finding of findings) {
      const concerns = concernsOf({ node, finding });
      if (concerns.length === 0) gather(platform, { finding, node, pods: [], namespace: undefined });
      const isShared = concerns.some(({ namespace }) => namespace !== concerns[0]?.namespace);
      for (const concern of concerns) {
        const owner = owners.get(concern.owner) ?? { concern, gathering: new Map() };
        owners.set(concern.owner, owner);
        const namespace = isShared ? concern.namespace : undefined;
        gather(owner.gathering, { finding, node, pods: concern.pods, namespace });
      }
    }
  }
  return { namespaces: namespacesOf([...owners.values()]), platform: gathered(platform) };
}

type Gathering = Map<string, Gathered>;

interface Gathered {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly nodes: Set<string>;
  readonly objects: Set<string>;
  readonly pods: Set<string>;
  readonly messages: Set<string>;
  readonly hints: Set<string>;
}

/** `namespace`: the finding is about several, of which only this one may be told. */
function gather(
  into: Gathering,
  told: { finding: Finding; node: string; pods: readonly string[]; namespace: string | undefined },
): void {
  const { finding, node, pods, namespace } = told;
  const { code, severity } = finding;
  const key = `${code} ${severity}`;
  const known = into.get(key) ?? {
    code,
    severity,
    nodes: new Set(),
    objects: new Set(),
    pods: new Set(),
    messages: new Set(),
    hints: new Set(),
  };
  into.set(key, known);
  known.nodes.add(node);
  for (const pod of pods) known.pods.add(pod);
  for (const object of finding.objects) {
    if (namespace === undefined || object.includes(` ${namespace}/`)) known.objects.add(object);
  }
  if (namespace === undefined) known.messages.add(finding.message);
  known.hints.add(finding.hint);
}

function gathered(gathering: Gathering): GatheredFinding[] {
  return [...gathering.values()]
    .map(({ code, severity, nodes, objects, pods, messages, hints }) => ({
      code,
      severity,
      meaning: findingCatalogue[code],
      nodes: [...nodes],
      objects: [...objects],
      pods: [...pods].sort(),
      messages: [...messages],
      hints: [...hints],
    }))
    .sort((one, other) => rank[one.severity] - rank[other.severity] || compare(one.code, other.code));
}

function namespacesOf(
  owners: readonly { readonly concern: Concern; readonly gathering: Gathering }[],
): NamespaceFindings[] {
  const namespaces = new Map<string, { responsible: Responsible; owners: OwnerFindings[] }>();
  for (const { concern, gathering } of owners) {
    const { namespace, namespaceResponsible, owner, ownerResponsible } = concern;
    const known = namespaces.get(namespace) ?? { responsible: namespaceResponsible, owners: [] };
    namespaces.set(namespace, known);
    const responsible = Object.fromEntries(
      Object.entries(ownerResponsible).filter(([key, value]) => namespaceResponsible[key] !== value),
    );
    known.owners.push({ owner, responsible, findings: gathered(gathering) });
  }
  return [...namespaces]
    .map(([namespace, { responsible, owners: own }]) => ({
      namespace,
      responsible,
      owners: own.sort((one, other) => worst(one) - worst(other) || compare(one.owner, other.owner)),
    }))
    .sort((one, other) => worstOf(one) - worstOf(other) || compare(one.namespace, other.namespace));
}

const rank: Readonly<Record<Severity, number>> = { block: 0, caution: 1, info: 2 };

function worst({ findings }: OwnerFindings): number {
  return Math.min(...findings.map(({ severity }) => rank[severity]));
}

function worstOf({ owners }: NamespaceFindings): number {
  return Math.min(...owners.map(worst));
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
