/** What can be broken in a sandbox while it runs. */
export type FaultName =
  | 'hang-host'
  | 'lose-host'
  | 'no-return'
  | 'fail-script'
  | 'silence-kubelet'
  | 'block-budget'
  | 'unready'
  | 'cut-api'
  | 'throttle-api'
  | 'lose-watches';

export interface FaultRequest {
  readonly fault: FaultName;
  /** A node, a budget or a workload, as the fault needs it. */
  readonly subject?: string;
  /** Mended by itself after this time. */
  readonly forMs?: number;
}

export type FaultAnswer =
  | { readonly kind: 'done'; readonly messages: readonly string[] }
  | { readonly kind: 'refused'; readonly message: string };

/** A fault of one kind: breaks the subject, and says in words what is broken and how it is mended. */
export type FaultMaker = (request: Omit<FaultRequest, 'fault'>) => MadeFault | { readonly refused: string };

export interface MadeFault {
  /** What it was about: a fault is in force once a subject. */
  readonly subject: string;
  /** What is broken, as a sentence. */
  readonly broken: string;
  /** Mends it and says what is so again; undefined where it passes by itself at once. */
  readonly mend: (() => string) | undefined;
}

/** The faults of one sandbox, and which are in force. */
export interface Faults {
  readonly names: readonly FaultName[];
  break(request: FaultRequest): FaultAnswer;
  /** Mends every fault of this name, or all. */
  mend(fault?: FaultName): FaultAnswer;
  /** Sentences. */
  inForce(): readonly string[];
}

/** `begun`: what is broken from the start. `later` calls back after so many milliseconds and answers how to take that back. */
export function openFaults(options: {
  readonly makers: Readonly<Record<FaultName, FaultMaker>>;
  readonly begun?: Partial<Record<FaultName, MadeFault>>;
  readonly later: (delayMs: number, act: () => void) => () => void;
}): Faults {
  const { makers, begun = {}, later } = options;
  const faultNames = Object.keys(makers) as FaultName[];
  const made = new Map<string, { readonly fault: FaultName; readonly what: MadeFault; readonly forget: () => void }>();
  const keep = (fault: FaultName, what: MadeFault, forMs: number | undefined) => {
    const key = `${fault} ${what.subject}`;
    const before = made.get(key);
    before?.forget();
    const forget = forMs === undefined ? () => undefined : later(forMs, () => mendOne(key));
    // What was so before the first of the two is what the mending restores.
    made.set(key, { fault, what: before?.what ?? what, forget });
  };
  const mendOne = (key: string): string => {
    const entry = made.get(key);
    made.delete(key);
    entry?.forget();
    return entry?.what.mend?.() ?? '';
  };
  for (const fault of faultNames) {
    const what = begun[fault];
    if (what !== undefined) keep(fault, what, undefined);
  }
  return {
    names: faultNames,
    break({ fault, ...request }) {
      const what = makers[fault](request);
      if ('refused' in what) return { kind: 'refused', message: what.refused };
      if (what.mend === undefined) return { kind: 'done', messages: [what.broken] };
      keep(fault, what, request.forMs);
      return { kind: 'done', messages: [what.broken] };
    },
    mend(fault) {
      const keys = [...made].filter(([, entry]) => fault === undefined || entry.fault === fault).map(([key]) => key);
      if (keys.length === 0) return { kind: 'done', messages: ['Nothing of the kind is broken.'] };
      return { kind: 'done', messages: keys.map(mendOne) };
    },
    inForce: () => [...made.values()].map(({ what }) => what.broken),
  };
}
