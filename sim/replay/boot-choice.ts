/** Which images firmware would try to start, in its order, by its own variables (UEFI 2.10 §3.1). */
import { bootVariable, decodeBootOrder } from '#hal/core/efi-load-option';
import { globalVendor, guidText, securityVendor } from '#hal/core/guid';
import { type Variables, variableKey } from './firmware-variables.ts';

/** Of the partition that an entry names, in lower case. */
export type PartitionUuid = string;

export const maxEntries = 64;

/** @param isOnce whether `BootNext` counts, which firmware forgets as it follows it */
export const bootCandidates = (variables: Variables, isOnce: boolean): readonly PartitionUuid[] => {
  const numbers = (name: string) => decodeBootOrder(variables.get(variableKey(name, globalVendor)) ?? new Uint8Array());
  const order = [...(isOnce ? numbers('BootNext').slice(0, 1) : []), ...numbers('BootOrder')].slice(0, maxEntries);
  return order.flatMap((number) => {
    const option = variables.get(variableKey(bootVariable(number), globalVendor));
    return (option === undefined ? undefined : partitionIn(option)) ?? [];
  });
};

/** Whose images it starts: X.509 certificates of `db`, DER. None without a platform key, for then it starts anything. */
export const trustedSigners = (variables: Variables): readonly Uint8Array[] => {
  const platform = variables.get(variableKey('PK', globalVendor));
  const lists = variables.get(variableKey('db', securityVendor)) ?? new Uint8Array();
  return platform === undefined ? [] : certificatesIn(lists);
};

const x509List = 'a5c059a1-94e4-4aa7-87b5-ab155c2bf072';
const listBytes = 28;
const ownerBytes = 16;

/** EFI_SIGNATURE_LIST, one after the other (UEFI 2.10 §32.4.1); what does not add up ends them. */
const certificatesIn = (lists: Uint8Array): readonly Uint8Array[] => {
  const view = viewOf(lists);
  const certificates: Uint8Array[] = [];
  for (let at = 0; at + listBytes <= lists.length; ) {
    const [bytes, header, each] = [16, 20, 24].map((offset) => view.getUint32(at + offset, true)) as [number, number, number];
    if (bytes < listBytes + header || at + bytes > lists.length || each <= ownerBytes) break;
    if (guidText(lists.subarray(at, at + 16)) === x509List)
      for (let one = at + listBytes + header; one + each <= at + bytes; one += each)
        certificates.push(lists.slice(one + ownerBytes, one + each));
    at += bytes;
  }
  return certificates;
};

/** EFI_LOAD_OPTION: attributes(4) ‖ bytes of the path(2) ‖ title ‖ path. Its hard drive node is matched by the partition's GUID. */
const partitionIn = (option: Uint8Array): PartitionUuid | undefined => {
  const view = viewOf(option);
  let at = 6;
  while (at + 2 <= option.length && view.getUint16(at, true) !== 0) at += 2;
  for (at += 2; at + 4 <= option.length; ) {
    const bytes = view.getUint16(at + 2, true);
    if (bytes < 4 || at + bytes > option.length) return undefined;
    if (option[at] === 4 && option[at + 1] === 1 && bytes === 42) return guidText(option.subarray(at + 24, at + 40));
    at += bytes;
  }
  return undefined;
};

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
