import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalDigest, canonicalJson } from '../../src/journal/canonicalJson.js';

describe('canonical JSON', () => {
  it.each([
    [-0, '0'],
    [1e21, '1e+21'],
    [1e20, '100000000000000000000'],
    [1e-7, '1e-7'],
    [0.000001, '0.000001'],
    [0.1 + 0.2, '0.30000000000000004'],
    [5e-324, '5e-324'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
    [4.5, '4.5'],
  ])('writes the number %d as ECMAScript does: %s', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it('sorts members by UTF-16 units, not by code points', () => {
    // U+1F600 is D83D DE00 in UTF-16, and so comes before U+FB33, which has the lower code point.
    const value = { '\ufb33': 1, '\u{1f600}': 2, ö: 3, '\r': 4, '1': 5, '10': 6, '9': 7, b: 8, B: 9 };
    expect(canonicalJson(value)).toBe('{"\\r":4,"1":5,"10":6,"9":7,"B":9,"b":8,"ö":3,"\u{1f600}":2,"\ufb33":1}');
  });

  it('escapes only what must be escaped, with the short escape where there is one', () => {
    expect(canonicalJson('\b\t\n\f\r"\\\u0001\u001f/\u007fé\u2028')).toBe(
      '"\\b\\t\\n\\f\\r\\"\\\\\\u0001\\u001f/\u007fé\u2028"',
    );
  });

  it('leaves out undefined members, writes null for undefined items and holes, and asks toJSON', () => {
    const sparse: unknown[] = [undefined, 2];
    sparse.length = 3;
    const value = { a: undefined, at: new Date(0), list: sparse, none: null };
    expect(canonicalJson(value)).toBe('{"at":"1970-01-01T00:00:00.000Z","list":[null,2,null],"none":null}');
  });

  it.each([
    ['NaN', { job: { durationMs: Number.NaN } }, '$.job.durationMs is NaN'],
    ['infinity', [1, -Infinity], '$[1] is -Infinity'],
    ['a function', { f: () => 1 }, '$.f is of type function'],
    ['a bigint', { n: 1n }, '$.n is of type bigint'],
    ['a map', { m: new Map() }, '$.m is a Map'],
    ['nothing', undefined, '$ is of type undefined'],
    ['half a surrogate pair', { text: 'a\ud83d' }, '$.text holds half a surrogate pair'],
    ['half a surrogate pair in a name', { 'a\ude00': 1 }, 'a name in $ holds half a surrogate pair'],
  ])('refuses %s and names the place', (_, value, place) => {
    expect(() => canonicalJson(value)).toThrow(expect.objectContaining({ code: 'not-json' }));
    expect(() => canonicalJson(value)).toThrow(place);
  });

  it('refuses a value that contains itself, and one nested without end', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = { circle };
    expect(() => canonicalJson(circle)).toThrow('$.self.circle contains itself');
    const deep: unknown = JSON.parse('['.repeat(5000) + ']'.repeat(5000));
    expect(() => canonicalJson(deep)).toThrow('nested deeper than 64 levels');
  });

  it('says the same as JSON.parse read, and says it again for what was parsed', () => {
    fc.assert(
      fc.property(fc.jsonValue({ depthSize: 'small' }), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it('does not depend on the order in which members were added', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalDigest(reversed)).toBe(canonicalDigest(value));
      }),
    );
  });

  it('digests the UTF-8 of the text', () => {
    // printf '{"a":"é"}' | sha256sum
    expect(canonicalDigest({ a: 'é' })).toBe('b3a092a6af48807fa9482b2ee140105575daa26d5b24b3c0e60a7e2dee6683b1');
  });
});
