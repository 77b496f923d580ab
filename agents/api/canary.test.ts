/**
 * Canaries: identifiers that nobody could guess go through every path that handles them, and are looked for afterwards
 * in everything that stays or leaves: local logs, answers of the door, audit records.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attestor } from '#agents/attest/attestor';
import { deviceId, nonce, type TestVerifier, testVerifier, trustedVerifier } from '#agents/attest/verifier.fixture';
import { verifierLink } from '#agents/attest/verifier-link';
import { rawRecords, recordsOf } from '#agents/audit/audit.fixture';
import { auditEvents } from '#agents/audit/events';
import { technician } from '#agents/hands/hands.fixture';
import { recordVisit } from '#agents/management/visit';
import { authorizer } from '#agents/mind/authorizer';
import { startTestMind, type TestMind } from '#agents/mind/mind.fixture';
import { ownParty } from '#agents/mind/trust';
import { accountKeys, assertIdentity, assertion, statement, stateSession } from '#agents/session/issuer.fixture';
import { presenter } from '#agents/session/presenter';
import { fromHex, toBase64, toHex, utf8 } from '#hal/core/bytes';
import { explain } from '#hal/core/faults';
import { decodeMessage } from '#hal/core/message';
import { deny, unwrap } from '#hal/core/result';
import { seededRandom } from '#hal/memory/random';
import { type Dispatcher, dispatcher } from '#hal/remote/dispatcher';
import { type SocketClient, socketClient } from '#hal/remote/socket-client';
import { type SocketServer, serveSocket } from '#hal/remote/socket-server';
import type { AuditRecord, Posture } from '#protos/gen/types';
import { apiDoor, type DoorParts } from './door.ts';
import { type ApiMethods, apiMethods } from './methods.ts';

const word = 'canary-nobody-could-guess';
const foreignHandle = seededRandom('the handle of another device').bytes(16);
const random = seededRandom('canaries');
const posture: Posture = { level: 'none', headline: 'at-risk', lifecycle: 'active', measuredMs: 0, findings: [] };

/** A canary in each form in which it could be written. */
const forms = (canary: Uint8Array): readonly Buffer[] => [
  Buffer.from(canary),
  ...[
    toHex(canary),
    toHex(canary).toUpperCase(),
    toBase64(canary).replace(/=+$/, ''),
    Buffer.from(canary).toString('base64url'),
    JSON.stringify([...canary]).slice(1, -1),
  ].map((text) => Buffer.from(text)),
];

describe('canaries', () => {
  let mind: TestMind;
  let verifier: TestVerifier;
  let directory: string;
  let server: SocketServer;
  let client: SocketClient<ApiMethods>;
  /** Every frame that left through the door, with the method that it answers. */
  const left: { readonly method: string; readonly frame: Uint8Array }[] = [];
  let canaries: Readonly<Record<string, Uint8Array>>;

  beforeAll(async () => {
    mind = await startTestMind();
    verifier = testVerifier(() => Math.floor(mind.clock.nowMs() / 1000));
    const link = verifierLink({
      client: verifier.client,
      collector: mind.hands,
      crypto: mind.crypto,
      random,
      verifier: trustedVerifier,
    });
    const parts = { ...mind, verifier: link };
    const keeper = {
      refresh: async () => {
        mind.trust.holdPosture(posture, { value: true, measuredBootMs: mind.clock.bootMs() }, mind.trust.changes());
        return posture;
      },
    };
    const full = {
      ...parts,
      posture: keeper,
      attestor: attestor(parts),
      authorizer: authorizer(parts, keeper),
      presenter: presenter(parts),
    };
    const door = dispatcher(apiMethods, apiDoor(full as unknown as DoorParts));
    const tapped: Dispatcher = {
      dispatch: (call, send, signal) =>
        door.dispatch(
          call,
          (frame) => {
            left.push({ method: call.method, frame });
            send(frame);
          },
          signal,
        ),
    };
    directory = mkdtempSync(join(tmpdir(), 'enigm-canary-'));
    const path = join(directory, 'api.sock');
    server = unwrap(await serveSocket(tapped, { path, log: mind.log }));
    client = socketClient(apiMethods, path);
    const { permitKey } = unwrap(await mind.hands.hello());
    canaries = {
      subject: assertion.subject,
      session: statement.session,
      'handle of another device': foreignHandle,
      'nonce of the verifier': nonce,
      'name that the verifier gave': deviceId,
      'key of the permits': permitKey,
      technician: utf8(technician),
      'word of an app': utf8(word),
      'own handle': fromHex(mind.trust.handle()?.handle ?? '') ?? new Uint8Array(),
    };
    await liveADay();
  });
  afterAll(async () => {
    client.close();
    await server.close();
    await mind[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const present = (payloadType: string, envelope: Uint8Array) => client.call('session.present', { payloadType, envelope });
  const authorize = (action: string, resource: string) => client.call('decision.authorize', { action, resource });

  /** Each path once as it should be, and once in each way that it is refused. */
  const liveADay = async () => {
    unwrap(await recordVisit(mind.hands, mind.crypto, mind.audit, () => false));
    const handle = canaries['own handle'] ?? new Uint8Array();
    const envelopes: readonly (readonly [string, Uint8Array])[] = [
      ['identity-assertion', assertIdentity()],
      ['identity-assertion', assertIdentity({}, { signer: accountKeys.secretKey })],
      ['identity-assertion', assertIdentity({ expiresMs: 1 })],
      ['identity-assertion', assertIdentity({}, { audience: word })],
      ['session-statement', stateSession({ handle: foreignHandle, sequence: 1 })],
      ['session-statement', stateSession({ handle, sequence: 2 })],
      ['session-statement', stateSession({ handle, sequence: 2 })],
      ['session-statement', stateSession({ handle, sequence: 3 }, { payloadType: word })],
      [word, stateSession({ handle, sequence: 4 })],
      ['session-statement', utf8(word)],
    ];
    for (const [payloadType, envelope] of envelopes) await present(payloadType, envelope);

    await authorize('open-secure-messaging', 'messaging');
    await authorize(word, 'messaging');
    await authorize('reboot-device', word);
    expect(await client.call('device.reboot', { cause: 'asked-by-user' })).toMatchObject({
      ok: true,
      value: { isAllowed: true },
    });
    await mind.device.stop();
    await client.call('device.reboot', { cause: 'asked-by-user' });
    await client.call('device.attest', { relyingParty: ownParty });
    await mind.device.restart();

    await client.call('device.attest', { relyingParty: ownParty });
    await client.call('device.attest', { relyingParty: 'command' });
    for (const says of [{ deviceNonce: nonce }, { handle: foreignHandle }, { relyingParty: word }, { verifier: word }]) {
      verifier.says = says;
      await client.call('device.attest', { relyingParty: ownParty });
    }
    verifier.says = { issuedAtSeconds: 0 };
    await client.call('device.attest', { relyingParty: 'command' });
    verifier.says = {};
    verifier.refuses['attest.finish'] = [deny('attestation', 'nonce-mismatch', word).fault];
    await client.call('device.attest', { relyingParty: ownParty });
    await client.call('device.enrol', {});
  };

  const found = (bytes: Uint8Array, names = Object.keys(canaries)): readonly string[] =>
    names.filter((name) => forms(canaries[name] ?? new Uint8Array()).some((form) => Buffer.from(bytes).includes(form)));
  const but = (...names: readonly string[]) => Object.keys(canaries).filter((name) => !names.includes(name));
  const frames = (...methods: readonly string[]) =>
    left
      .filter(({ method }) => methods.length === 0 || methods.includes(method))
      .map(({ frame }) => unwrap(decodeMessage('Frame', frame)));

  test('are really there, so that looking for them says something', () => {
    expect(found(Buffer.concat(rawRecords(mind.audit)))).toEqual(expect.arrayContaining(['subject', 'own handle']));
    expect(found(utf8(`x${toHex(nonce)}x${technician}`))).toEqual(['nonce of the verifier', 'technician']);
    expect(mind.log.entries.length).toBeGreaterThan(0);
    expect(frames().filter(({ refusal }) => refusal !== undefined).length).toBeGreaterThan(12);
  });

  test('are in no line of a local log', () => {
    for (const { entries } of [mind.log, mind.device.log])
      for (const entry of entries) expect(found(utf8(JSON.stringify(entry))), entry.event).toEqual([]);
  });

  test('are in no refusal: it is one code of the vocabulary and nothing else (SR-10)', () => {
    for (const { method, frame } of left) {
      const { refusal } = unwrap(decodeMessage('Frame', frame));
      if (refusal === undefined) continue;
      expect(Object.keys(refusal).sort(), method).toEqual(['code', 'id']);
      expect(explain(refusal.code), refusal.code).toBeDefined();
      expect(found(frame), method).toEqual([]);
    }
  });

  test('are in no answer to a statement or a decision', () => {
    const answers = frames('session.present', 'decision.authorize', 'device.reboot').flatMap(({ reply }) => reply?.value ?? []);
    expect(answers.length).toBeGreaterThan(4);
    for (const answer of answers) expect(found(answer)).toEqual([]);
  });

  test('are in an answer to an attestation only as the handle that the relying party knows', () => {
    for (const { reply } of frames('device.attest'))
      if (reply !== undefined) expect(found(reply.value, but('own handle'))).toEqual([]);
  });

  test('are in an audit record only as the pseudonyms that its schema has a field for', () => {
    for (const raw of rawRecords(mind.audit)) expect(found(raw, but('subject', 'own handle'))).toEqual([]);
    for (const record of recordsOf(mind.audit)) {
      const { actor: _, handle: __, ...rest } = record;
      expect(found(utf8(JSON.stringify(rest)))).toEqual([]);
    }
  });

  test('leave records of nothing but the closed vocabulary', () => {
    const words: Readonly<Partial<Record<keyof AuditRecord, ReadonlySet<string>>>> = {
      event: new Set(Object.keys(auditEvents)),
      action: new Set(['open-secure-messaging', 'reboot-device', 'provision-device']),
      resource: new Set(['messaging', 'device']),
    };
    const records = recordsOf(mind.audit);
    for (const record of records) {
      for (const [field, known] of Object.entries(words)) {
        const value = record[field as keyof AuditRecord];
        if (value !== undefined) expect(known.has(String(value)), `${field} ${String(value)}`).toBe(true);
      }
      if (record.code !== undefined) expect(explain(record.code), record.code).toBeDefined();
    }
    const came = new Set(records.map(({ event }) => event));
    for (const event of [
      'authz.identity',
      'authz.session',
      'authz.decision',
      'admin.reboot',
      'attest.result',
      'admin.provisioned',
    ])
      expect(came.has(event), event).toBe(true);
  });
});
