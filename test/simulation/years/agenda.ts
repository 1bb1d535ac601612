/** What is to happen when: the earliest first, of two for the same moment the one put down first. */
export class Agenda {
  readonly #entries: { readonly at: number; readonly act: () => void }[] = [];

  /** `at`: milliseconds since the epoch. */
  add(at: number, act: () => void): void {
    const place = this.#entries.findIndex((entry) => entry.at > at);
    this.#entries.splice(place === -1 ? this.#entries.length : place, 0, { at, act });
  }

  /** When the next thing is to happen; undefined where nothing is. */
  get nextAt(): number | undefined {
    return this.#entries[0]?.at;
  }

  /** Takes the next thing off and lets it happen. */
  happen(): void {
    this.#entries.shift()?.act();
  }
}
