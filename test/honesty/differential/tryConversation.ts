import { writeFileSync } from 'node:fs';
import { openRealSide } from '../realSide.js';
import { openSandboxSide } from '../sandboxSide.js';
import { converse, watchFromForgottenVersion } from './conversation.js';
for (const open of [openSandboxSide, openRealSide]) {
  const side = await open({ nodes: 5 });
  try {
    const lines = [...await converse(side, 'talk')];
    await side.forgetHistory();
    lines.push(await watchFromForgottenVersion(side, '1'));
    writeFileSync(`/tmp/talk-${side.name.split(' ')[0]}`, lines.join('\n') + '\n');
  } finally { await side.stop(); }
}
