import { describe, expect, it } from 'vitest';
import type { ApiResponse } from '../../cluster/api.js';
import { createAllOn } from '../../cluster/gather.js';
import { waitFor } from '../../cluster/waitFor.js';
import { deployment, disruptionBudget } from '../../cluster/workloads.js';
import type { Maintenance } from './maintenance.js';

/** What clients other than Turnus rely on. */
export function describeServerAnswers(given: () => Maintenance): void {
  describe('the API server', () => {
    it('answers 404 with a Status object where it serves nothing', async () => {
      for (const path of ['/api/v1/gadgets', '/apis/apps/v1/gadgets', '/api/v1/nodes/nobody']) {
        const { status, body } = await given().side.api.request({ method: 'GET', path });
        expect([path, status]).toEqual([path, 404]);
        expect(body).toMatchObject({
          apiVersion: 'v1',
          kind: 'Status',
          status: 'Failure',
          reason: 'NotFound',
          code: 404,
        });
      }
    });

    it('lets kubectl drain a node under a budget: refuses with 429 until a replacement is Ready', async () => {
      const { side } = given();
      await createAllOn(side, 'node-2', [
        deployment({ name: 'guarded', replicas: 2, startMs: 800, stopMs: 200 }),
        disruptionBudget({ name: 'guarded', maxUnavailable: 1 }),
      ]);
      await side.api.patch(
        { kind: 'Node', name: 'node-2' },
        { body: { spec: { unschedulable: true } }, type: 'strategic' },
      );
      const left = await side.api.list({ kind: 'Pod', namespace: 'default', labelSelector: 'app=guarded' });
      expect(left.map(({ spec }) => spec.nodeName)).toEqual(['node-2', 'node-2']);
      const [one = '', other = ''] = left.map(({ metadata }) => metadata.name);

      expect(await side.api.evict({ name: one })).toMatchObject({ status: 201 });
      const refused = await side.api.evict({ name: other });
      expect(refused).toMatchObject({
        status: 429,
        body: { reason: 'TooManyRequests', details: { causes: [{ reason: 'DisruptionBudget' }] } },
      });
      expect(refused.headers['retry-after']).toBeUndefined();
      const allowed = await waitFor({
        what: 'room in the budget',
        probe: async (): Promise<ApiResponse | undefined> => {
          const answer = await side.api.evict({ name: other });
          return answer.status === 429 ? undefined : answer;
        },
      });
      expect(allowed.status).toBe(201);
      await waitFor({
        what: 'both pods Ready elsewhere',
        probe: async () => {
          const { status } = await side.api.get({ kind: 'Deployment', name: 'guarded' });
          const pods = await side.api.list({ kind: 'Pod', namespace: 'default', labelSelector: 'app=guarded' });
          return status?.readyReplicas === 2 && pods.every(({ spec }) => spec.nodeName !== 'node-2');
        },
      });
      await side.api.patch(
        { kind: 'Node', name: 'node-2' },
        { body: { spec: { unschedulable: false } }, type: 'strategic' },
      );
      await side.api.delete({ kind: 'Deployment', name: 'guarded' }, { propagationPolicy: 'Background' });
      await side.api.delete({ kind: 'PodDisruptionBudget', name: 'guarded' });
    });
  });
}
