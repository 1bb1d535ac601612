/** Powers that the suffixes of a quantity stand for: of ten, and of two (apimachinery, pkg/api/resource/suffix.go). */
const decimal: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const binary: Readonly<Record<string, bigint>> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n };

const form =
  /^(?<sign>[+-]?)(?<whole>\d*)(?:\.(?<part>\d*))?(?:(?<suffix>[KMGTPE]i|[numkMGTPE])|[eE](?<power>[+-]?\d{1,3}))?$/;

/**
 * A quantity of the API such as `500m`, `1.5Gi` or `12e6`, in billionths of its unit, which is the finest that a
 * quantity can tell; what is finer still is rounded away from zero, as the API server does. Undefined: it is none.
 */
export function billionthsOf(quantity: string): bigint | undefined {
  const groups = form.exec(quantity)?.groups;
  const { sign = '', whole = '', part = '', suffix = '', power } = groups ?? {};
  if (groups === undefined || whole + part === '') return undefined;
  const factor = binary[suffix];
  const exponent = 9 - part.length + (factor === undefined ? Number(power ?? decimal[suffix] ?? 0) : 0);
  const digits = BigInt(whole + part) << (factor ?? 0n);
  const size = exponent >= 0 ? digits * 10n ** BigInt(exponent) : dividedUp(digits, 10n ** BigInt(-exponent));
  return sign === '-' ? -size : size;
}

/** Rounded up, for what is not negative. */
export function dividedUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
