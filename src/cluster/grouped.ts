export type Groups<T> = Map<string, T[]>;

/** The items by key, each group in their order. Items without a key are in none. */
export function grouped<T>(items: Iterable<T>, keyOf: (item: T) => string | undefined): Groups<T> {
  const groups: Groups<T> = new Map();
  for (const item of items) {
    const key = keyOf(item);
    if (key !== undefined) append(groups, key, item);
  }
  return groups;
}

/** As the last of its group. */
export function append<T>(groups: Groups<T>, key: string, item: T): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [item]);
  else group.push(item);
}
