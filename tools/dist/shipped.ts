/** Which libraries have code in the programs that ship, by the record that the build made of each bundle. */

/** @param inputs sources by bundle: dist/inputs.json. @returns their folders from the root, as the lock names them, sorted */
export const shippedFolders = (inputs: Readonly<Record<string, readonly string[]>>): readonly string[] => [
  ...new Set(
    Object.entries(inputs)
      .filter(([bundle]) => bundle.startsWith('dist/device/'))
      .flatMap(([, sources]) => sources.flatMap((source) => libraryFolder.exec(source)?.[0] ?? []))
      .toSorted(),
  ),
];

const libraryFolder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/;
