/** The epilogue: an emergency. Nothing before the press, two people told after it, nobody any wiser once it is over (SR-11, 24–27). */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, deny, done, type Fault, type Result } from '#hal/core/result';
import { keyPins, type SimulatedKey } from '#sim/machine/key';
import type { ContactPeer } from '#sim/peers/contacts';
import type { World } from '#sim/world/world';
import { faultOf } from './outcome.ts';
import { refused, type Scenario, seen } from './scenario.ts';
import { opensWith, valuesOf } from './seized.ts';

const dayMs = 86_400_000;
/** The wearer holds on through the gesture and the arming; then the countdown runs. */
const holdMs = 6_000;
const countdownMs = 12_000;
const betweenPositionsMs = 60_000;
/** Of our time and of the Key's: 25 looks are about a second. */
const waitMs = 25_000;
const looksPerStep = 25;
const stepMs = 1_000;

export const emergency: Scenario = {
  step: 'emergency',
  title: 'the Key sleeps without a byte; pressed, it tells two people where; then no place opens any more, mind dead or alive',
  async run(world) {
    const { beacon, device } = world;
    if (!beacon.key.ok) return seen({ skipped: codeOf(beacon.key.fault) });
    const key = beacon.key.value;
    const isSetUp = await setUpKey(world, key);
    if (!isSetUp.ok) return refused(isSetUp.fault);

    const slept = sleepADay(key);
    await raiseAlarm(world, key);
    await acknowledge(world, key);
    const keptBack = await keepOneBack(world, key);
    if (!opensWith(keptBack.keyBefore, keptBack.parcel)) return broken('the Key cannot seal what it is about to seal');
    await callOff(world, key);
    const first = beacon.contacts.flatMap(({ refusals }) => refusals).at(0);
    if (first !== undefined) return refused({ ...first, detail: 'a contact was shown a place of an alert that is over' });
    const afterwards = {
      key: opensWith(key.seize(), keptBack.parcel) ? 'OPENS IT' : 'opens nothing',
      host: opensWith(valuesOf(await device.relayStore()), keptBack.parcel) ? 'OPENS IT' : 'opens nothing',
      contacts: beacon.contacts.map((contact) => openedBy(contact, keptBack.parcel)).join(' '),
    };
    if (slept.bytes > 0 || slept.positions > 0 || /OPENS/.test(Object.values(afterwards).join()))
      return broken(JSON.stringify({ ...slept, ...afterwards }));

    const withoutMind = await alarmWithoutMind(world, key);
    return seen({
      asleep: `a day of the Key: ${slept.bytes} bytes on the line, ${slept.positions} positions`,
      told: beacon.contacts.map((contact) => contact.news.map(({ is }) => is).join(' ')).join(' | '),
      felt: inShort(key.felt()),
      laterPlaceKey: afterwards.key,
      laterPlaceHost: afterwards.host,
      laterPlaceContacts: afterwards.contacts,
      mindMeanwhile: withoutMind,
      engineBytes: key.usedBytes(),
    });
  },
};

const broken = (detail: string) => refused({ category: 'integrity', reason: 'read-back', detail });

/** As a person does it at home: dock, pair by the card, introduce two people, choose PINs. */
export const setUpKey = async ({ beacon, device, until }: World, key: SimulatedKey): Promise<Result<void>> => {
  await key.powerOn();
  key.dock();
  await until('the relay has its line', async () => {
    const status = await device.relay.call('beacon.status', { asksKey: false });
    return status.ok && status.value.isLineUp;
  });
  const cards = join(device.directory, '..', 'key');
  mkdirSync(cards, { recursive: true, mode: 0o700 });
  const written = (name: string, text: string): string => {
    const path = join(cards, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const said = [
    await device.enigmctl('beacon', 'pair', '--card', written('card', Buffer.from(key.cardSecret).toString('hex'))),
    ...(await inOrder(beacon.contacts, ({ label, card }) =>
      device.enigmctl('beacon', 'contacts', '--add', written(`contact-${label}.json`, card)),
    )),
  ];
  const fault = said.map(faultOf).find((one): one is Fault => one !== undefined);
  if (fault !== undefined) return { ok: false, fault };
  const pins = await device.relay.call('beacon.pins', keyPins);
  if (!pins.ok) return pins;
  const status = await device.relay.call('beacon.status', { asksKey: true });
  if (!status.ok) return status;
  if (status.value.key?.contacts !== beacon.contacts.length || status.value.courier !== '')
    return deny('protocol', 'field-invalid', JSON.stringify(status.value));
  const released = await device.relay.call('beacon.release', {});
  key.undock();
  return released.ok ? done : released;
};

const inOrder = async <T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> => {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
};

const sleepADay = (key: SimulatedKey): { readonly bytes: number; readonly positions: number } => {
  const before = { bytes: key.bytesOnLink(), positions: key.positionsSampled() };
  key.pass(dayMs);
  return { bytes: key.bytesOnLink() - before.bytes, positions: key.positionsSampled() - before.positions };
};

/**
 * Waits, and time passes for the Key meanwhile as for everybody: what nobody acknowledged is sent again. Shorter than the
 * pause between two positions, so that waiting brings no further one.
 */
const patiently = (world: World, key: SimulatedKey, what: string, fact: () => boolean): Promise<void> => {
  let looks = 0;
  return world.until(
    what,
    () => {
      looks += 1;
      if (looks % looksPerStep === 0) key.pass(stepMs);
      return fact();
    },
    waitMs,
  );
};

/** @param meanwhile what else is done while people wait for it */
export const raiseAlarm = async (world: World, key: SimulatedKey, meanwhile: () => void = () => undefined): Promise<void> => {
  const { contacts } = world.beacon;
  const before = contacts.map(({ news }) => news.length);
  const felt = count(key, 'ack');
  key.press(holdMs);
  key.pass(countdownMs);
  await patiently(world, key, 'both contacts know where, and the wearer feels that they do', () => {
    meanwhile();
    return (
      contacts.every(({ news }, index) => news.slice(before[index]).some(({ is }) => is === 'position')) &&
      count(key, 'ack') >= felt + contacts.length
    );
  });
};

/** People say more than their phones did. */
const acknowledge = async (world: World, key: SimulatedKey): Promise<void> => {
  const { beacon } = world;
  const felt = count(key, 'ack');
  const words = ['seen', 'responding'] as const;
  for (const [index, contact] of beacon.contacts.entries())
    beacon.courier.says(contact, contact.answer(words[index % words.length] ?? 'seen'));
  await patiently(
    world,
    key,
    'the wearer feels that people have seen it',
    () => count(key, 'ack') >= felt + beacon.contacts.length,
  );
};

/** The next position does not arrive: the courier has it, and nobody else. */
const keepOneBack = async (
  { beacon, until }: World,
  key: SimulatedKey,
): Promise<{ readonly keyBefore: readonly Uint8Array[]; readonly parcel: Uint8Array }> => {
  const { courier, contacts } = beacon;
  const keyBefore = key.seize();
  courier.keepBack(true);
  key.pass(betweenPositionsMs);
  const kept = () => courier.carried.filter(({ isKeptBack }) => isKeptBack);
  await until('the courier has the next position', () => kept().length === contacts.length);
  courier.keepBack(false);
  return { keyBefore, parcel: kept()[0]?.parcel ?? new Uint8Array() };
};

export const callOff = async (world: World, key: SimulatedKey): Promise<void> => {
  const { beacon } = world;
  key.cancelPin();
  await patiently(world, key, 'both contacts know that it is over, and the Key sleeps', () => {
    const isTold = beacon.contacts.every(({ news }) => news.at(-1)?.is === 'ended' || news.at(-1)?.is === 'again');
    return isTold && key.powered().length === 0;
  });
};

const openedBy = (contact: ContactPeer, parcel: Uint8Array): string => {
  const opened = contact.open(parcel);
  return opened.ok ? 'OPENS' : codeOf(opened.fault);
};

/** Mind killed again and again, hands and mouth stopped: the relay asks none of them (SR-11). @returns what the mind said */
const alarmWithoutMind = async (world: World, key: SimulatedKey): Promise<string> => {
  const { device } = world;
  for (const program of ['hald', 'linkd'] as const) device.pause(program);
  device.kill('agentd');
  const status = await device.app.call('device.status', {});
  await raiseAlarm(world, key, () => device.kill('agentd'));
  await callOff(world, key);
  for (const program of ['hald', 'linkd'] as const) device.resume(program);
  await device.answers();
  return status.ok ? 'ANSWERED' : codeOf(status.fault);
};

const count = (key: SimulatedKey, pattern: string): number => key.felt().filter((one) => one === pattern).length;

/** `a a b` as `a ×2, b`. */
const inShort = (words: readonly string[]): string => {
  const runs: { readonly word: string; times: number }[] = [];
  for (const word of words) {
    const last = runs.at(-1);
    if (last?.word === word) last.times += 1;
    else runs.push({ word, times: 1 });
  }
  return runs.map(({ word, times }) => (times === 1 ? word : `${word} ×${times}`)).join(', ');
};
