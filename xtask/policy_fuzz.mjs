// The second engine of `cargo xtask policy-fuzz`: one JSON request a line in, one letter a line out.
// A allowed, D explicitly denied, I implicitly denied, E the engine threw.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(`${process.cwd()}/`);
const { runUnsafeSimulation } = require('@cloud-copilot/iam-simulate');
const LETTERS = { Allowed: 'A', ExplicitlyDenied: 'D', ImplicitlyDenied: 'I' };
const ACCOUNT = '111122223333';

function decide({ documents, action, resource, context }) {
  const [identity, ...boundaries] = documents;
  const named = (policy, n) => ({ name: `p${n}`, policy });
  return runUnsafeSimulation(
    {
      request: {
        principal: `arn:aws:iam::${ACCOUNT}:user/alice`,
        action,
        resource: { resource, accountId: ACCOUNT },
        contextVariables: context,
      },
      identityPolicies: [named(identity, 0)],
      permissionBoundaryPolicies: boundaries.length ? boundaries.map(named) : undefined,
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
}

for await (const line of createInterface({ input: process.stdin })) {
  let letter = 'E';
  try {
    letter = LETTERS[decide(JSON.parse(line))] ?? 'E';
  } catch {}
  process.stdout.write(`${letter}\n`);
}
