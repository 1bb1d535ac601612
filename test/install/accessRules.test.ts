import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describePermission, type Permission } from '../../src/cluster/permissions.js';
import { accessObjects, permissionsFor, type AccessExtra } from '../../src/install/accessRules.js';

const namespace = 'turnus-system';
const accessShape = z.array(
  z.object({
    kind: z.string(),
    metadata: z.object({ name: z.string(), namespace: z.string().optional() }),
    rules: z
      .array(
        z.object({
          apiGroups: z.array(z.string()),
          resources: z.array(z.string()),
          resourceNames: z.array(z.string()).optional(),
          verbs: z.array(z.string()),
        }),
      )
      .optional(),
    roleRef: z.object({ kind: z.string(), name: z.string() }).optional(),
    subjects: z.array(z.object({ kind: z.string(), name: z.string(), namespace: z.string() })).optional(),
  }),
);
const objectsWith = (extras: readonly AccessExtra[]) =>
  accessShape.parse(JSON.parse(JSON.stringify(accessObjects(namespace, extras))));
const objects = objectsWith([]);

/** What the roles of Turnus itself allow, one permission each. */
function allowed(): Permission[] {
  const permissions: Permission[] = [];
  for (const { kind, metadata, rules = [] } of objects) {
    if (metadata.name !== 'turnus' || !kind.endsWith('Role')) continue;
    for (const { apiGroups, resources, resourceNames = [undefined], verbs } of rules) {
      for (const group of apiGroups)
        for (const written of resources)
          for (const name of resourceNames)
            for (const verb of verbs) {
              const slash = written.indexOf('/');
              permissions.push({
                verb,
                group,
                resource: slash < 0 ? written : written.slice(0, slash),
                ...(slash < 0 ? {} : { subresource: written.slice(slash + 1) }),
                ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
                ...(name === undefined ? {} : { name }),
              });
            }
    }
  }
  return permissions;
}

function sentences(permissions: readonly Permission[]): string[] {
  return permissions.map(describePermission).sort();
}

/** Not asked for before a run: runs that may not be deleted stay, any scale is more than an access review can ask for, the finalizers are only checked
 * where the admission plugin OwnerReferencesPermissionEnforcement is on, most clusters do not serve the kinds of
 * other controllers, and what is not known of Services is a finding. */
const notAskedFor = [
  'delete maintenanceruns.turnus.dev in namespace turnus-system',
  'get *.*/scale',
  'list apiservices.apiregistration.k8s.io',
  'list machinehealthchecks.cluster.x-k8s.io',
  'list machinehealthchecks.machine.openshift.io',
  'list mutatingwebhookconfigurations.admissionregistration.k8s.io',
  'list plans.upgrade.cattle.io',
  'list services',
  'list validatingwebhookconfigurations.admissionregistration.k8s.io',
  'update maintenanceruns.turnus.dev/finalizers in namespace turnus-system',
];

describe('the permissions that run asks for', () => {
  it('are those of the roles, each once', () => {
    expect(sentences([...permissionsFor('run', namespace)])).toEqual(
      sentences(allowed()).filter((sentence) => !notAskedFor.includes(sentence)),
    );
    expect(sentences(allowed()).filter((sentence) => notAskedFor.includes(sentence))).toEqual(notAskedFor);
  });

  it('read one by one only what is: the rest is followed', () => {
    const got = [...permissionsFor('run', namespace)].filter(({ verb }) => verb === 'get');
    expect(sentences(got)).toEqual([
      'get customresourcedefinitions.apiextensions.k8s.io maintenanceruns.turnus.dev',
      'get customresourcedefinitions.apiextensions.k8s.io nodeturns.turnus.dev',
      'get customresourcedefinitions.apiextensions.k8s.io playbooks.turnus.dev',
      'get leases.coordination.k8s.io in namespace kube-node-lease',
      'get leases.coordination.k8s.io in namespace turnus-system',
      'get maintenanceruns.turnus.dev in namespace turnus-system',
      'get namespaces',
      'get nodes',
      'get nodeturns.turnus.dev in namespace turnus-system',
    ]);
  });

  it('name what the drain and the cordon need', () => {
    const asked = sentences(permissionsFor('run', namespace));
    expect(asked).toEqual(
      expect.arrayContaining([
        'patch nodes',
        'create pods/eviction',
        'watch poddisruptionbudgets.policy',
        'get namespaces',
        'list persistentvolumes',
        'patch nodeturns.turnus.dev/status in namespace turnus-system',
        'update leases.coordination.k8s.io in namespace turnus-system',
        'get leases.coordination.k8s.io in namespace kube-node-lease',
        'create events in namespace default',
      ]),
    );
  });

  it('are in the namespace of our objects, whatever it is called', () => {
    const asked = sentences(permissionsFor('run', 'maintenance'));
    expect(asked).toContain('create maintenanceruns.turnus.dev in namespace maintenance');
    expect(asked.join('\n')).not.toContain('turnus-system');
  });
});

describe('the permissions that plan asks for', () => {
  const asked = permissionsFor('plan', '');

  it('only read, and need nothing of ours in the cluster', () => {
    expect([...new Set(asked.map(({ verb }) => verb))].sort()).toEqual(['get', 'list', 'watch']);
    expect(asked.filter(({ group, namespace: where }) => group.includes('turnus') || where !== undefined)).toEqual([]);
    expect(asked.filter(({ group }) => group === 'apiextensions.k8s.io')).toEqual([]);
  });

  it('are some of those that run asks for', () => {
    expect(asked.length).toBeGreaterThan(5);
    expect(sentences(permissionsFor('run', namespace))).toEqual(expect.arrayContaining(sentences(asked)));
  });
});

describe('the permissions that pause, retry and the like ask for', () => {
  it('are those of the ClusterRole turnus-operate, our objects in their namespace', () => {
    const role = objects.find(({ metadata }) => metadata.name === 'turnus-operate');
    const inRole = (role?.rules ?? []).flatMap(({ apiGroups, resources, verbs, resourceNames }) =>
      resources.flatMap((resource) => verbs.map((verb) => ({ group: apiGroups[0], resource, verb, resourceNames }))),
    );
    expect(role?.kind).toBe('ClusterRole');
    expect(sentences([...permissionsFor('operate', 'maintenance')])).toEqual([
      'get customresourcedefinitions.apiextensions.k8s.io maintenanceruns.turnus.dev',
      'get customresourcedefinitions.apiextensions.k8s.io nodeturns.turnus.dev',
      'get customresourcedefinitions.apiextensions.k8s.io playbooks.turnus.dev',
      'get leases.coordination.k8s.io turnus in namespace maintenance',
      'get maintenanceruns.turnus.dev in namespace maintenance',
      'list maintenanceruns.turnus.dev in namespace maintenance',
      'list nodeturns.turnus.dev in namespace maintenance',
      'patch maintenanceruns.turnus.dev in namespace maintenance',
    ]);
    const asked = permissionsFor('operate', 'maintenance').map(({ verb, resource }) => `${verb} ${resource}`);
    expect([...new Set(inRole.map(({ verb, resource }) => `${verb} ${resource}`))].sort()).toEqual(
      [...new Set(asked)].sort(),
    );
    // One name each: a role that is bound in the whole cluster lets nobody read other leases.
    expect(inRole.filter(({ resource }) => resource === 'leases')).toMatchObject([
      { resourceNames: ['turnus', 'turnus-serve'] },
    ]);
  });

  it('are some of those that run asks for, so that who runs may ask too', () => {
    const withoutName = (permission: Permission) => {
      const { name: _, ...rest } = permission;
      return permission.resource === 'leases' ? rest : permission;
    };
    expect(sentences(permissionsFor('run', namespace))).toEqual(
      expect.arrayContaining(sentences(permissionsFor('operate', namespace).map(withoutName))),
    );
  });
});

describe('the permissions that coverage asks for', () => {
  const asked = permissionsFor('coverage', 'maintenance');

  it('only get and list, and are those of the ClusterRole turnus-coverage, which is aggregated to no other', () => {
    const role = objects.find(({ metadata }) => metadata.name === 'turnus-coverage');
    expect(sentences([...asked])).toEqual([
      'get customresourcedefinitions.apiextensions.k8s.io maintenanceruns.turnus.dev',
      'get customresourcedefinitions.apiextensions.k8s.io nodeturns.turnus.dev',
      'get customresourcedefinitions.apiextensions.k8s.io playbooks.turnus.dev',
      'get namespaces kube-system',
      'list maintenanceruns.turnus.dev in namespace maintenance',
      'list nodes',
      'list nodeturns.turnus.dev in namespace maintenance',
      'list pods',
    ]);
    const inRole = (role?.rules ?? []).flatMap(({ resources, verbs }) =>
      resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)),
    );
    expect(role?.kind).toBe('ClusterRole');
    expect(role?.metadata).not.toHaveProperty('labels');
    expect(inRole.sort()).toEqual([...new Set(asked.map(({ verb, resource }) => `${verb} ${resource}`))].sort());
  });

  it('are some of those that run asks for, so that who runs may look too', () => {
    const asWide = ({ name, ...permission }: Permission): Permission =>
      permission.resource === 'namespaces' || name === undefined ? permission : { ...permission, name };
    expect(sentences(permissionsFor('run', namespace))).toEqual(
      expect.arrayContaining(sentences(permissionsFor('coverage', namespace).map(asWide))),
    );
  });
});

describe('the permissions that trigger asks for', () => {
  it('are to read and to annotate a playbook, and whoever may edit playbooks has them', () => {
    const asked = sentences(permissionsFor('trigger', 'maintenance'));
    expect(asked).toEqual([
      'get customresourcedefinitions.apiextensions.k8s.io maintenanceruns.turnus.dev',
      'get customresourcedefinitions.apiextensions.k8s.io nodeturns.turnus.dev',
      'get customresourcedefinitions.apiextensions.k8s.io playbooks.turnus.dev',
      'get playbooks.turnus.dev in namespace maintenance',
      'patch playbooks.turnus.dev in namespace maintenance',
    ]);
    const editor = objects.find(({ metadata }) => metadata.name === 'turnus-playbook-editor');
    expect(editor?.rules).toEqual([
      expect.objectContaining({ resources: ['customresourcedefinitions'], verbs: ['get'] }),
      {
        apiGroups: ['turnus.dev'],
        resources: ['playbooks'],
        verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
      },
    ]);
  });
});

describe('the role for those who write playbooks', () => {
  const writing = ['create', 'update', 'patch', 'delete'];
  const writers = (extras: readonly AccessExtra[]) =>
    objectsWith(extras)
      .filter(({ rules = [] }) =>
        rules.some(
          ({ resources, verbs }) => resources.includes('playbooks') && verbs.some((verb) => writing.includes(verb)),
        ),
      )
      .map(({ kind, metadata }) => `${kind} ${metadata.name}`);

  it('is the only one that may: not that of Turnus itself, nor of those who operate runs', () => {
    expect(writers(['serve', 'surge'])).toEqual(['ClusterRole turnus-playbook-editor']);
  });

  it('is bound to nobody and part of no other role', () => {
    const text = JSON.stringify(accessObjects(namespace, ['serve']).filter(({ kind }) => kind?.endsWith('Binding')));
    expect(text).not.toContain('turnus-playbook-editor');
    const editor = accessObjects(namespace, []).find(({ metadata }) => metadata.name === 'turnus-playbook-editor');
    expect(editor?.metadata).toEqual({ name: 'turnus-playbook-editor' });
  });
});

describe('the roles', () => {
  it('allow neither every verb, nor secrets, nor becoming somebody else', () => {
    for (const { rules = [] } of objects) {
      for (const { verbs, resources } of rules) {
        expect(verbs.filter((verb) => /^(\*|deletecollection|impersonate|bind|escalate)$/.test(verb))).toEqual([]);
        expect(resources.filter((resource) => /^(\*|secrets.*)$/.test(resource))).toEqual([]);
      }
    }
  });

  it('allow deleting nothing but runs, in their own namespace, to Turnus alone, and playbooks to those who write them', () => {
    const deleting = objects.filter(({ rules = [] }) => rules.some(({ verbs }) => verbs.includes('delete')));
    expect(deleting.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`)).toEqual([
      `Role ${namespace}/turnus`,
      'ClusterRole /turnus-playbook-editor',
    ]);
    expect(sentences(allowed().filter(({ verb }) => verb === 'delete'))).toEqual([
      'delete maintenanceruns.turnus.dev in namespace turnus-system',
    ]);
  });

  it('allow writing nothing else in the whole cluster than nodes and evictions', () => {
    const writing = allowed().filter(
      ({ verb, namespace: where }) => where === undefined && !['get', 'list', 'watch'].includes(verb),
    );
    expect(sentences(writing)).toEqual(['create pods/eviction', 'patch nodes']);
  });

  it('are bound, each in its place, to the ServiceAccount of Turnus', () => {
    const bindings = objects.filter(({ kind }) => kind.endsWith('Binding'));
    const bound = bindings.map(
      ({ metadata, roleRef }) => `${roleRef?.kind ?? ''} ${metadata.namespace ?? ''}/${roleRef?.name ?? ''}`,
    );
    const roles = objects
      .filter(({ kind, metadata }) => kind.endsWith('Role') && metadata.name === 'turnus')
      .map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`);
    expect(bound.sort()).toEqual(roles.sort());
    for (const { subjects } of bindings)
      expect(subjects).toEqual([{ kind: 'ServiceAccount', name: 'turnus', namespace }]);
  });
});

describe('surging of singletons', () => {
  const patchesDeployments = (extras: readonly AccessExtra[]): string[] =>
    accessObjects(namespace, extras)
      .filter((object) => JSON.stringify(object['rules'] ?? []).match(/"deployments"\],"verbs":\["get","patch"\]/))
      .map(({ kind, metadata }) => `${kind ?? ''} ${metadata.name ?? ''}`);

  it('is allowed by the ClusterRole of Turnus where it is asked for, and by nothing else', () => {
    expect(patchesDeployments([])).toEqual([]);
    expect(patchesDeployments(['surge'])).toEqual(['ClusterRole turnus']);
  });

  it('is asked for by the runs that need it alone', () => {
    const added = sentences(permissionsFor('run', namespace, ['surge'])).filter(
      (permission) => !sentences(permissionsFor('run', namespace)).includes(permission),
    );
    expect(added).toEqual(['get deployments.apps', 'patch deployments.apps']);
    expect(permissionsFor('plan', namespace, ['surge'])).toEqual(permissionsFor('plan', namespace));
  });
});

describe('serving', () => {
  const added = [
    'get configmaps in namespace turnus-system',

    'get secrets in namespace turnus-system',
    'list configmaps in namespace turnus-system',
    'list playbooks.turnus.dev in namespace turnus-system',
    'patch playbooks.turnus.dev/status in namespace turnus-system',
    'watch configmaps in namespace turnus-system',
    'watch playbooks.turnus.dev in namespace turnus-system',
  ];

  it('asks for playbooks and their files, in the namespace of Turnus alone', () => {
    const without = sentences(permissionsFor('run', namespace));
    const asked = sentences(permissionsFor('run', namespace, ['serve']));
    expect(asked.filter((permission) => !without.includes(permission))).toEqual(added);
  });

  it('is allowed by a Role of its own, made and bound where it is asked for', () => {
    const named = (extras: readonly AccessExtra[]) =>
      objectsWith(extras).filter(({ metadata }) => metadata.name === 'turnus-serve');
    expect(named([])).toEqual([]);
    const [role, binding, ...others] = named(['serve']);
    expect(others).toEqual([]);
    expect(role).toMatchObject({ kind: 'Role', metadata: { namespace } });
    expect(
      role?.rules?.flatMap(({ resources, verbs }) => verbs.map((verb) => `${verb} ${resources.join()}`)).sort(),
    ).toEqual(
      added.map((sentence) => sentence.replace(' in namespace turnus-system', '').replace('.turnus.dev', '')).sort(),
    );
    expect(binding).toMatchObject({
      kind: 'RoleBinding',
      metadata: { namespace },
      roleRef: { kind: 'Role', name: 'turnus-serve' },
      subjects: [{ kind: 'ServiceAccount', name: 'turnus', namespace }],
    });
  });
});
