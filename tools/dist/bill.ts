/**
 * What is in a package (SR-34): npm's bill of materials (CycloneDX), narrowed to the libraries whose code is in the programs
 * that ship, with Node.js and the libraries inside it. It names versions; it says nothing of their known faults.
 */
import { createHash } from 'node:crypto';
import { shippedFolders } from './shipped.ts';

/** What this file looks at of `npm sbom --sbom-format cyclonedx --package-lock-only`. */
export interface NpmBill extends Fields {
  readonly metadata: Fields & { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}
interface Component extends Fields {
  readonly 'bom-ref': string;
}
interface Fields {
  readonly [name: string]: unknown;
}

export interface BillParts {
  readonly bill: NpmBill;
  /** package-lock.json. */
  readonly lock: { readonly packages: Readonly<Record<string, { readonly version?: string }>> };
  /** dist/inputs.json. */
  readonly inputs: Readonly<Record<string, readonly string[]>>;
  readonly node: { readonly bytes: Uint8Array; readonly versions: Readonly<Record<string, string | undefined>> };
  readonly timeSeconds: number;
}

/** The same parts give the same bill: without the number that npm draws, its clock, and the folder that it ran in. */
export const billOfMaterials = ({ bill, lock, inputs, node, timeSeconds }: BillParts): Fields => {
  const shipped = new Set(shippedFolders(inputs).map((folder) => referenceOf(folder, lock.packages[folder]?.version)));
  const libraries = bill.components.filter((component) => shipped.has(component['bom-ref']));
  for (const reference of shipped)
    if (!libraries.some((library) => library['bom-ref'] === reference))
      throw new Error(`${reference} is in a program, and not in the bill of npm`);
  const { serialNumber: _, metadata, ...rest } = bill;
  const kept = new Set([...shipped, metadata.component['bom-ref']]);
  return {
    ...rest,
    metadata: {
      ...metadata,
      timestamp: new Date(timeSeconds * 1000).toISOString(),
      component: { ...metadata.component, name: 'enigm-device' },
    },
    components: [...libraries, nodeComponent(node)],
    dependencies: bill.dependencies
      .filter(({ ref }) => kept.has(ref))
      .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) })),
  };
};

const referenceOf = (folder: string, version: string | undefined): string => {
  if (version === undefined) throw new Error(`${folder} is in a program, and not in the lock`);
  return `${folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length)}@${version}`;
};

const nodeComponent = ({ bytes, versions }: BillParts['node']): Component => {
  const { node, modules: _, napi: __, ...inside } = versions;
  return {
    'bom-ref': `node@${node}`,
    ...{ type: 'platform', name: 'node', version: node, purl: `pkg:generic/node@${node}` },
    hashes: [{ alg: 'SHA-256', content: createHash('sha256').update(bytes).digest('hex') }],
    components: Object.entries(inside).map(([name, version]) => ({ type: 'library', name, version })),
  };
};
