import { openRealSide } from '../realSide.js';
import type { Side } from '../side.js';
import type { Lane } from './lane.js';
import { playSequence } from './playSequence.js';
import { sequenceOf } from './sequence.js';
const [a, b] = process.argv.slice(2).map(Number) as [number, number];
const lanes = 4;
const sides: [Side, Side] = [await openRealSide({ nodes: lanes * 3 }), await openRealSide({ nodes: lanes * 3 })];
console.log('up');
let next = a;
const t0 = Date.now();
try {
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      for (let seed = next++; seed <= b; seed = next++) {
        const namespace = `seed-${seed}`;
        const mk = (side: Side): Lane => ({ side, namespace, nodes: side.nodeNames.slice(lane * 3, lane * 3 + 3) });
        for (const side of sides) await side.createNamespace(namespace);
        const at = Date.now();
        try {
          const d = await playSequence([mk(sides[0]), mk(sides[1])], sequenceOf(seed));
          console.log(seed, d === undefined ? 'same' : JSON.stringify(d, undefined, 1), Date.now() - at);
        } catch (e) {
          console.log(seed, 'ERROR', e);
        }
      }
    }),
  );
} finally {
  console.log('total', Date.now() - t0);
  await Promise.all(sides.map((s) => s.stop()));
}
