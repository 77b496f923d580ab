/** enigmctl keys: which keys there are and what becomes of them, another one in place of one, and one that counts no more. */
import type { Command } from 'commander';
import { keyClassNames, registry } from '#agents/keys/registry';
import { type KeyClassEntry, verbs } from '#agents/keys/verbs';
import { fromHex, toBase64, toHex } from '#hal/core/bytes';
import { deny, faultFrom, type Result } from '#hal/core/result';
import type { KeyChange, KeyEntry, KeyList } from '#protos/gen/types';
import { answer, type Console } from '../console.ts';
import type { Run } from '../context.ts';
import { withDevice } from '../device.ts';

export const keysCommands = (program: Command, run: Run): void => {
  const keys = program.command('keys').description('keys of this device and of whom it believes; public data only');

  keys
    .command('list', { isDefault: true })
    .argument('[class]', 'one class, with its five verbs')
    .description('every class of keys: ids in use, state, epoch, algorithms, and where the secret half is')
    .action(
      run(({ console, runDirectory }, name: string | undefined) =>
        withDevice(runDirectory, async (device) => {
          if (name !== undefined && entryOf(name) === undefined) return console.refuse(unknownClass(name).fault);
          return answer(console, await device.call('keys.list', {}), (list) =>
            name === undefined ? table(list) : oneClass(list, name),
          );
        }),
      ),
    );

  keys
    .command('rotate')
    .argument('<class>', 'a class of which this device makes the keys')
    .description(
      'another key in place of the one in use, if a decision allows it; the hands do it under a permit for exactly this',
    )
    .action(
      run(({ console, runDirectory }, name: string) =>
        withDevice(runDirectory, async (device) => {
          const entry = entryOf(name);
          if (entry === undefined) return console.refuse(unknownClass(name).fault);
          if (!entry.rotation.hasCommand) return console.refuse(elsewhere(entry.rotation.how).fault);
          return changed(console, await device.call('keys.rotate', { keyClass: name }), ({ epoch, keyId }) => ({
            text: `${name} is in epoch ${epoch ?? 0}${keyId === undefined ? '' : `, key ${toHex(keyId)}`}`,
            json: { keyClass: name, epoch, ...idOf(keyId) },
          }));
        }),
      ),
    );

  keys
    .command('revoke')
    .argument('<class>', 'its class')
    .argument('<id>', 'its id, 64 hexadecimal digits')
    .option('--last', 'also where nothing of the class verifies any more then')
    .description('one key verifies nothing on this device any more, for good, if a decision allows it')
    .action(
      run(({ console, runDirectory }, name: string, id: string, { last = false }: { readonly last?: boolean }) =>
        withDevice(runDirectory, async (device) => {
          const entry = entryOf(name);
          if (entry === undefined) return console.refuse(unknownClass(name).fault);
          if (!entry.revocation.hasCommand) return console.refuse(elsewhere(entry.revocation.how).fault);
          const keyId = fromHex(id);
          if (keyId?.length !== 32) return console.refuse(deny('authorization', 'key-unknown', 'not a key id').fault);
          if (entry.withoutAny !== undefined) console.say(`without any key of ${name}: ${entry.withoutAny}`);
          const request = { keyClass: name, keyId, isLastMeant: last };
          return changed(console, await device.call('keys.revoke', request), () => ({
            text: `${id} of ${name} is revoked; the device starts its mind anew, and everybody signs in again`,
            json: { keyClass: name, keyId: id, state: 'revoked' },
          }));
        }),
      ),
    );
};

const entryOf = (name: string): KeyClassEntry | undefined =>
  Object.hasOwn(registry, name) ? registry[name as keyof typeof registry] : undefined;
const unknownClass = (name: string) => deny('authorization', 'key-unknown', `no class ${name.slice(0, 40)}`);
const elsewhere = (how: string) => deny('policy', 'key-elsewhere', how);
const idOf = (keyId: Uint8Array | undefined) => (keyId === undefined ? {} : { keyId: toHex(keyId) });

/** A denial is a refusal with its code. */
const changed = (
  console: Console,
  change: Result<KeyChange>,
  show: (change: KeyChange) => { readonly text: string; readonly json: unknown },
): number => {
  if (!change.ok || change.value.code === '') return answer(console, change, show);
  const [category = '', reason = ''] = change.value.code.split('/');
  return console.refuse(faultFrom(category, reason));
};

const keyJson = ({ keyId, epoch, state }: KeyEntry) => ({ state, ...(epoch === undefined ? {} : { epoch }), ...idOf(keyId) });

const classJson = ({ entries }: KeyList, name: string, entry: KeyClassEntry) => ({
  keyClass: name,
  ...entry,
  keys: entries.filter(({ keyClass }) => keyClass === name).map(keyJson),
});

const line = ({ keyClass, keyId, state, epoch }: KeyEntry): string => {
  const id = keyId === undefined ? '' : toHex(keyId);
  const number = epoch === undefined ? '' : `${epoch}`;
  return `${keyClass.padEnd(16)} ${state.padEnd(8)} ${number.padStart(3)}  ${id}`.trimEnd();
};

const table = (list: KeyList) => ({
  text: [`${'class'.padEnd(16)} ${'state'.padEnd(8)} no.  id`, ...list.entries.map(line)].join('\n'),
  json: {
    classes: keyClassNames.map((name) => classJson(list, name, registry[name])),
    successions: list.successions.map((envelope) => toBase64(envelope)),
  },
});

const oneClass = (list: KeyList, name: string) => {
  const entry = registry[name as keyof typeof registry] as KeyClassEntry;
  const keys = list.entries.filter(({ keyClass }) => keyClass === name);
  return {
    text: [
      `${name}: ${entry.use}`,
      `  ${entry.algorithms}; ${entry.where}${entry.unnamed === undefined ? '' : `; no id is shown: ${entry.unnamed}`}`,
      ...keys.map((key) => `  ${line(key)}`),
      ...verbs.map((verb) => `  ${verb.padEnd(12)} ${entry[verb].by.padEnd(10)} ${entry[verb].how}`),
      ...(entry.withoutAny === undefined ? [] : [`  without any   ${entry.withoutAny}`]),
    ].join('\n'),
    json: classJson(list, name, entry),
  };
};
