import { isRecord, recordOf, recordsOf, stringOf, type JsonRecord } from './json.js';
import { billionthsOf, dividedUp } from './quantity.js';

/**
 * Amounts by the name of the resource, as the scheduler counts them: `cpu` in thousandths of a core, everything else
 * in its own unit (bytes of memory, pieces of an extended resource), rounded up. A resource that is not named is 0.
 */
export type ResourceAmounts = Readonly<Record<string, number>>;

/** A ResourceList of the API, for example a node's allocatable. What is no quantity is left out. */
export function resourceAmounts(list: Readonly<Record<string, unknown>>): ResourceAmounts {
  return amountsOf(exactly(list));
}

/**
 * What a pod asks of its node (k8s.io/component-helpers/resource/helpers.go, PodRequests). Its containers and sidecars
 * together; or the largest init container with the sidecars started before it, where that is more (KEP-753). Requests
 * of the pod itself take the place of that (KEP-2837); the overhead of its runtime is added. While a pod is resized in
 * place, the larger of what was asked and what it has counts (KEP-1287).
 */
export function podRequests(spec: JsonRecord, status: JsonRecord): ResourceAmounts {
  const effective = effectiveRequests(status);
  const running: Exactly = new Map();
  const sidecars: Exactly = new Map();
  const starting: Exactly = new Map();
  for (const container of recordsOf(spec['containers'])) add(running, effective(container));
  for (const container of recordsOf(spec['initContainers'])) {
    if (container['restartPolicy'] === 'Always') {
      const requests = effective(container);
      add(running, requests);
      add(sidecars, requests);
    } else raise(starting, add(new Map(sidecars), requestsOf(container)));
  }
  raise(running, starting);
  for (const [resource, amount] of exactly(recordOf(recordOf(spec['resources'])['requests']))) {
    if (isOfPods(resource)) running.set(resource, amount);
  }
  return amountsOf(add(running, exactly(recordOf(spec['overhead']))));
}

/** Amounts in billionths. */
type Exactly = Map<string, bigint>;

function exactly(list: JsonRecord): Exactly {
  const amounts: Exactly = new Map();
  for (const [resource, quantity] of Object.entries(list)) {
    const amount = billionthsOf(typeof quantity === 'number' ? String(quantity) : (stringOf(quantity) ?? ''));
    if (amount !== undefined) amounts.set(resource, amount);
  }
  return amounts;
}

function effectiveRequests(status: JsonRecord): (container: JsonRecord) => Exactly {
  const statuses = [...recordsOf(status['containerStatuses']), ...recordsOf(status['initContainerStatuses'])].filter(
    ({ resources }) => isRecord(resources),
  );
  const isInfeasible = recordsOf(status['conditions']).some(
    ({ type, reason }) => type === 'PodResizePending' && reason === 'Infeasible',
  );
  return (container) => {
    const own = statuses.find(({ name }) => name === container['name']);
    if (own === undefined) return requestsOf(container);
    const has = raise(requestsOf(own), exactly(recordOf(own['allocatedResources'])));
    return isInfeasible ? has : raise(has, requestsOf(container));
  };
}

/** Of a container, or of its status. */
function requestsOf({ resources }: JsonRecord): Exactly {
  return exactly(recordOf(recordOf(resources)['requests']));
}

/** Resources that a pod as a whole can ask for. */
function isOfPods(resource: string): boolean {
  return resource === 'cpu' || resource === 'memory' || resource.startsWith('hugepages-');
}

function add(to: Exactly, amounts: Exactly): Exactly {
  for (const [resource, amount] of amounts) to.set(resource, (to.get(resource) ?? 0n) + amount);
  return to;
}

function raise(amounts: Exactly, atLeast: Exactly): Exactly {
  for (const [resource, amount] of atLeast) {
    if (amount > (amounts.get(resource) ?? 0n)) amounts.set(resource, amount);
  }
  return amounts;
}

const none: ResourceAmounts = Object.freeze({});

/** Most pods ask for the same few resources, or for none: those share one empty object. */
function amountsOf(exact: Exactly): ResourceAmounts {
  const asked = [...exact].filter(([, amount]) => amount > 0n);
  if (asked.length === 0) return none;
  return Object.fromEntries(
    asked.map(([resource, amount]) => [
      resource,
      Number(dividedUp(amount, resource === 'cpu' ? 1_000_000n : 1_000_000_000n)),
    ]),
  );
}
