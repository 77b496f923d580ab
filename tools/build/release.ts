/** What a release must not contain (SR-04, SR-02, SR-09): each rule a function from what was built to what breaks it. */

/** Sources of the simulator, of tests and of adapters in memory. */
const simulatorSource =
  /^sim\/|^hal\/memory\/|^hal\/contract\/|^hal\/native\/(?:esys-sim|testing)|\.(?:fixture|test)\.ts$|simulat|^node_modules\/(?:vitest|fast-check)\//;
/** What a TPM, a decision or the audit log is made of; the mouth has none of it. */
const outsideTheMouth =
  /^hal\/(?:tpm|native)\/|^hal\/ports\/(?:tpm|provisioning)|^agents\/(?:hands|decision|audit|mind|attest)\/|^attestation\/|cedar|^hal\/remote\/hands-/;

/** Words that a software TPM or its transports leave in code, and what would let the environment choose a TPM. */
const simulatorWords = [
  ...['swtpm', 'libtpms', 'mssim', 'tpm-sim', 'socket-path', 'socket-tcp', 'enigm-simulat', 'libtss2-tcti-swtpm'],
  ...['TPM2TOOLS_TCTI', 'TPM2TSS_TCTI', 'TctiLdr'],
] as const;
export type SimulatorWord = (typeof simulatorWords)[number];

export const simulatorSourcesIn = (inputs: readonly string[]): readonly string[] =>
  inputs.filter((input) => simulatorSource.test(input));

/** The client that knows no custodian rule. */
const withoutTheRule = /^ota-client\/(?:conformance\.ts|interoperability\/)/;

export const withoutTheRuleIn = (inputs: readonly string[]): readonly string[] =>
  inputs.filter((input) => withoutTheRule.test(input));

export const foreignToTheMouth = (inputs: readonly string[]): readonly string[] =>
  inputs.filter((input) => outsideTheMouth.test(input));

/** @param bytes a bundle or a shared library: words are looked for as they stand in it */
export const simulatorWordsIn = (bytes: Uint8Array): readonly SimulatorWord[] =>
  simulatorWords.filter((word) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(word));
