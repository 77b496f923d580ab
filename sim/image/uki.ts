/**
 * Unified kernel images: systemd's stub, kernel, first root and command line in one signed file (UAPI "Unified Kernel
 * Image"), and what a machine that starts one has in PCR 11 afterwards.
 */
import { createHash } from 'node:crypto';
import { concat, utf8 } from '#hal/core/bytes';
import { ok, type Result } from '#hal/core/result';
import { type ImageSigner, signImage } from './authenticode.ts';
import { type PeSection, withSections } from './pe.ts';

export interface UkiParts {
  readonly stub: Uint8Array;
  readonly kernel: Uint8Array;
  readonly initrd: Uint8Array;
  readonly commandLine: string;
  /** Contents of os-release. */
  readonly release: string;
  /** Who approves what a machine has in its registers after it started this; a machine without keeps its data closed. */
  readonly approver?: Approver;
}

export interface Approver {
  /** PEM. */
  readonly key: string;
  /** @param measured what the stub measures into register 11. @returns the signature section, JSON */
  approve(measured: readonly Uint8Array[]): string;
}

export interface Uki {
  readonly file: Uint8Array;
  /** SHA-256 bank, after the stub has run and nothing else extended it. */
  readonly pcr11: Uint8Array;
  /** What the stub measures into register 11, in order. */
  readonly measured: readonly Uint8Array[];
}

/** @returns the signed image, or `protocol/malformed` for another stub */
export const unifiedImage = (parts: UkiParts, signer: ImageSigner): Result<Uki> => {
  const sections = sectionsOf(parts);
  const measured = measuredOf(sections);
  // Of all that the stub knows, this alone is not measured: it says what is.
  const approval = parts.approver === undefined ? [] : [{ name: '.pcrsig', bytes: utf8(parts.approver.approve(measured)) }];
  const whole = withSections(parts.stub, [...sections, ...approval]);
  if (!whole.ok) return whole;
  const file = signImage(whole.value, signer);
  return file.ok ? ok({ file: file.value, measured, pcr11: afterMeasuring(measured) }) : file;
};

/** In the order in which the stub measures them (systemd 252, `src/boot/efi/stub.c`, `UnifiedSection`). */
const sectionsOf = ({ kernel, initrd, commandLine, release, approver }: UkiParts): readonly PeSection[] => [
  { name: '.linux', bytes: kernel },
  { name: '.osrel', bytes: utf8(release) },
  { name: '.cmdline', bytes: utf8(`${commandLine}\0`) },
  { name: '.initrd', bytes: initrd },
  ...(approver === undefined ? [] : [{ name: '.pcrpkey', bytes: utf8(approver.key) }]),
];

/** For each section its name with the zero at its end, then its contents (systemd-stub(7), "TPM PCR Notes"). */
const measuredOf = (sections: readonly PeSection[]): readonly Uint8Array[] =>
  sections.flatMap(({ name, bytes }) => [utf8(`${name}\0`), bytes]);

/** A register that was zero. */
export const afterMeasuring = (events: readonly Uint8Array[]): Uint8Array =>
  events.reduce((pcr, event) => sha256(concat(pcr, sha256(event))), new Uint8Array(32));

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest());
