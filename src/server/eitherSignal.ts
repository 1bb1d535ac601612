/**
 * A signal that aborts with the first of two, until `clear` is called. Unlike AbortSignal.any it leaves nothing behind in
 * signals that live as long as the process: Node 20 keeps a reference for each that was ever made of them.
 */
export function eitherSignal(
  one: AbortSignal,
  other: AbortSignal,
): { readonly signal: AbortSignal; readonly clear: () => void } {
  const controller = new AbortController();
  const clears: (() => void)[] = [];
  const clear = () => {
    for (const each of clears) each();
  };
  for (const parent of [one, other]) {
    const abort = () => {
      controller.abort(parent.reason);
      clear();
    };
    if (parent.aborted) {
      abort();
      break;
    }
    parent.addEventListener('abort', abort);
    clears.push(() => {
      parent.removeEventListener('abort', abort);
    });
  }
  return { signal: controller.signal, clear };
}
