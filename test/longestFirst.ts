import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take longest, the longest first: none of them is begun when the rest has ended. */
const longest = [
  'test/simulation/nights.test.ts',
  'test/sandbox/whole/troubles.test.ts',
  'test/sandbox/whole/demo.test.ts',
  'test/sandbox/whole/sandboxCommand.test.ts',
  'test/sandbox/whole/month.test.ts',
  'test/cluster/scenarios/suite.test.ts',
  'test/cluster/scenarios/serveHandOver.test.ts',
  'test/cluster/scenarios/serveTroubles.test.ts',
  'test/cluster/scenarios/serve.test.ts',
  'test/cluster/scenarios/killEachPhase.test.ts',
  'test/cluster/scenarios/thousandPods.test.ts',
  'test/faults/apiConnectionSilent.test.ts',
  'test/faults/killBeforeTheHost.test.ts',
  'test/faults/killAfterTheBoot.test.ts',
  'test/faults/hostConnectionSilent.test.ts',
  'test/faults/hostConnectionHalfOpen.test.ts',
  'test/faults/killInTheDrain.test.ts',
  'test/faults/apiConnectionHalfOpen.test.ts',
  'test/faults/killAtRequests.test.ts',
  'test/faults/killBetweenNodes.test.ts',
  'test/faults/apiAnswers.test.ts',
  'test/faults/powerCut.test.ts',
  'test/faults/freeze.test.ts',
];

/** Begins with the longest files. Vitest itself begins with the largest where it has not seen them run before. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const found = longest.findIndex((file) => moduleId.endsWith(file));
      return found === -1 ? longest.length : found;
    };
    return (await super.sort(files)).sort((one, other) => place(one) - place(other));
  }
}
