/** enigmctl beacon: the Enigm Key of this device, by way of the relay; works whatever state the device is in (SR-11). */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { type BeaconMethods, beaconMethods } from '#agents/beacon/methods';
import { socketPath } from '#agents/programs/layout';
import { fromHex, toHex } from '#hal/core/bytes';
import { boolean, type Decoder, decodeJson, integer, object } from '#hal/core/config';
import { attempt, deny, ok, type Result } from '#hal/core/result';
import { systemRandom } from '#hal/linux/random';
import { type SocketClient, socketClient } from '#hal/remote/socket-client';
import type { BeaconContacts, BeaconIntroduction, BeaconStatus, PairingProtection } from '#protos/gen/types';
import { answer, type Console } from '../console.ts';
import type { Run } from '../context.ts';

export const beaconCommands = (program: Command, run: Run): void => {
  const beacon = program.command('beacon').description('the Enigm Key: its line, whom it alerts, a rehearsal');
  beacon
    .command('status', { isDefault: true })
    .option('--key', 'ask the Key too, which wakes it')
    .description('whether the line, the pairing and the courier are there')
    .action(
      run(({ console, runDirectory }, { key = false }: { readonly key?: boolean }) =>
        withRelay(runDirectory, async (relay) =>
          answer(console, await relay.call('beacon.status', { asksKey: key }), (status) => ({
            text: statusText(status),
            json: status,
          })),
        ),
      ),
    );
  beacon
    .command('pair')
    .option('--card <file>', 'the secret of the card, in hexadecimal; - reads standard input')
    .description('pair with a Key that is in pairing; without a card by a code that you type on the Key')
    .action(
      run(async ({ console, runDirectory }, { card }: { readonly card?: string }) => {
        const secret = card === undefined ? await typedCode(console) : cardSecret(card);
        if (!secret.ok) return console.refuse(secret.fault);
        return withRelay(runDirectory, async (relay) =>
          answer(console, await relay.call('beacon.pair', { secret: secret.value }), () => ({
            text: 'paired: for five minutes contacts can be added without a press',
            json: { isPaired: true },
          })),
        );
      }),
    );
  beacon
    .command('test')
    .description('rehearse an alert: contacts are told that it is one')
    .action(
      run(({ console, runDirectory }) =>
        withRelay(runDirectory, async (relay) =>
          answer(console, await relay.call('beacon.test', {}), ({ needsChord }) => ({
            text: needsChord ? 'press both buttons of the Key for two seconds, within ten seconds' : 'the rehearsal begins',
            json: { needsChord },
          })),
        ),
      ),
    );
  beacon
    .command('contacts')
    .option('--add <file>', 'the card of a contact, as JSON; - reads standard input')
    .option('--remove <name>', 'the opaque name of a contact: 32 hexadecimal digits')
    .description('whom the Key alerts')
    .action(
      run(({ console, runDirectory }, options: { readonly add?: string; readonly remove?: string }) => {
        const change = changeOf(options);
        if (!change.ok) return console.refuse(change.fault);
        return withRelay(runDirectory, async (relay) =>
          answer(console, await relay.call('beacon.contacts', change.value), (book) => ({
            text: contactsText(book),
            json: { contacts: book.contacts.map((one) => ({ ...one, contact: toHex(one.contact) })) },
          })),
        );
      }),
    );
};

const withRelay = async <T>(runDirectory: string, use: (relay: SocketClient<BeaconMethods>) => Promise<T>): Promise<T> => {
  const relay = socketClient(beaconMethods, socketPath(runDirectory, 'beacon'));
  try {
    return await use(relay);
  } finally {
    relay.close();
  }
};

/** What a person has to know of how the pairing is kept. */
const keptHow: Readonly<Record<PairingProtection, string>> = {
  waiting: ', LOCKED until the hands answer: alerts go out, the Key cannot be asked',
  clear: ', kept in clear until the device is provisioned',
  sealed: '',
  unreadable: ', UNREADABLE: alerts go out, the Key must be paired again',
};

const statusText = ({ isLineUp, isPaired, protection, courier, key }: BeaconStatus): string =>
  [
    `line ${isLineUp ? 'up' : 'DOWN'}; ${isPaired ? 'paired' : 'not paired'}${keptHow[protection]}; courier ${courier === '' ? 'reached' : `NOT reached (${courier})`}`,
    ...(key === undefined
      ? []
      : [
          `Key ${key.state}, battery ${key.batteryPercent} %, ${key.contacts} contacts, PINs ${key.hasPins ? 'set' : 'NOT set'}`,
          `remote arming ${key.allowsRemoteArm ? 'ALLOWED' : 'off'}; used ${key.usedMicroampHours} µAh`,
        ]),
  ].join('\n');

const contactsText = ({ contacts }: BeaconContacts): string =>
  contacts.length === 0
    ? 'this Key alerts nobody'
    : contacts
        .map(({ contact, tier, isNamed }) => `${toHex(contact)} tier ${tier}${isNamed ? ', may end an alert with another' : ''}`)
        .join('\n');

const read = (file: string): Result<string> =>
  attempt(
    () => readFileSync(file === '-' ? 0 : file, 'utf8'),
    (cause) => deny('protocol', 'file-unreadable', cause),
  );

/** Never a word of the command line: those are seen by everybody on the machine. */
const cardSecret = (file: string): Result<Uint8Array> => {
  const written = read(file);
  if (!written.ok) return written;
  const secret = fromHex(written.value.trim());
  return secret === undefined ? deny('protocol', 'malformed', `${file}: expected hexadecimal`) : ok(secret);
};

/** Six digits of chance, for this pairing alone (SR-28). */
const typedCode = async (console: Console): Promise<Result<Uint8Array>> => {
  const digits: number[] = [];
  // Bytes above 249 are passed over, so that every digit is as likely as the others.
  while (digits.length < 6) digits.push(...[...systemRandom.bytes(16)].filter((byte) => byte < 250).map((byte) => byte % 10));
  const code = Uint8Array.from(digits.slice(0, 6));
  console.say(`type ${[...code].join('')} on the Key, then press Enter here`);
  const reader = createInterface({ input: process.stdin });
  const line = await reader[Symbol.asyncIterator]().next();
  reader.close();
  return line.done === true ? deny('unavailable', 'aborted', 'nobody pressed Enter') : ok(code);
};

const hex =
  (least: number, most: number): Decoder<Uint8Array> =>
  (value, path = '') => {
    const bytes = typeof value === 'string' ? fromHex(value) : undefined;
    return bytes !== undefined && bytes.length >= least && bytes.length <= most
      ? ok(bytes)
      : deny('protocol', 'config-invalid', `${path}: expected ${least} to ${most} bytes in hexadecimal`);
  };

const contactCard = object({
  contact: hex(16, 16),
  tier: integer(1, 3),
  isNamed: boolean,
  psk: hex(32, 32),
  publicKey: hex(1216, 1216),
});

const changeOf = ({
  add,
  remove,
}: {
  readonly add?: string;
  readonly remove?: string;
}): Result<{ readonly put?: BeaconIntroduction; readonly remove?: Uint8Array }> => {
  if (add !== undefined) {
    const written = read(add);
    const card = written.ok ? decodeJson(written.value, contactCard) : written;
    if (!card.ok) return card;
    const { psk, publicKey, ...contact } = card.value;
    return ok({ put: { contact, psk, publicKey } });
  }
  if (remove === undefined) return ok({});
  const name = hex(16, 16)(remove, '--remove');
  return name.ok ? ok({ remove: name.value }) : name;
};
