/**
 * The reference Command: lets attested devices join, has two people approve what it publishes, announces it, and reads
 * what devices report. It trusts a device for as long as the verifier's result says, and for what its keys sign.
 */
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { type CommandMethods, commandMethods, commandParty } from '#agents/fleet/command-methods';
import { joinBytes } from '#agents/fleet/joining';
import { fleetHpke, openUp, sealDown } from '#agents/fleet/sealed';
import { orderHeader } from '#agents/management/order';
import type { ManagedClass } from '#agents/policy/bundles';
import { verifyResult } from '#attestation/result';
import { fromHex, toHex } from '#hal/core/bytes';
import { encodeMessage } from '#hal/core/message';
import { deny, done, ok, type Result, unwrap } from '#hal/core/result';
import { sealEnvelope } from '#hal/crypto/envelope';
import { nodeCrypto } from '#hal/crypto/node';
import { type HybridPublicKey, hybridPublicKey } from '#hal/crypto/suites';
import { serveHttps } from '#hal/linux/https-door';
import { mqttBroker } from '#hal/linux/mqtt-broker';
import type { Clock } from '#hal/ports/clock';
import type { Random } from '#hal/ports/random';
import { dispatcher } from '#hal/remote/dispatcher';
import { targetEntry } from '#ota-client/repository/compose';
import type { Signer } from '#ota-client/repository/custodian';
import { targetPath } from '#ota-client/repository/files';
import { type ImageRepository, publishRoles, signClass } from '#ota-client/repository/publish';
import type {
  AppManifest,
  ConfigurationBundle,
  DeviceReport,
  FleetJoin,
  FleetJoined,
  FleetMessage,
  OrderedState,
  PolicyBundle,
} from '#protos/gen/types';
import { approversFrom } from './approvers.ts';
import { certificateDer, certifyClient, certifyServer, keyKindOf } from './authority.ts';
import type { BrokerPeer } from './broker.ts';
import { reminders } from './reminders.ts';
import { openRepository } from './repository.ts';
import type { PeerSecrets } from './secrets.ts';
import { verifierName } from './verifier.ts';

export interface CommandPeer {
  readonly url: string;
  /** Files of the repository, for the file server. */
  readonly repositoryDirectory: string;
  /** The root that goes into the image of a device. */
  readonly root: Uint8Array;
  readonly sealingKey: Uint8Array;
  /** What each device said last, by its handle in hexadecimal. */
  report(handle: string): DeviceReport | undefined;
  /** SubjectPublicKeyInfo of the key by which the broker knows a device, by its handle in hexadecimal. */
  linkKey(handle: string): Uint8Array | undefined;
  /**
   * Puts a bundle in place of the one before.
   * @param approvers who signs; two of the class must
   * @returns `integrity/custodians-missing` with fewer
   */
  publish<K extends ManagedClass>(kind: K, bundle: Bundles[K], approvers?: readonly Signer[]): Promise<Result<void>>;
  approvers(kind: ManagedClass): readonly [Signer, Signer];
  /** From now on whatever is published is put out with the first approver's signature alone. */
  takeOver(): void;
  /**
   * Tells every device that has joined, and again until it reports that it has it.
   * @returns the first failure of the broker
   */
  announce(kind: ManagedClass, version: number): Promise<Result<void>>;
  /** Whose orders on the life of a device count, two together. */
  readonly administrators: readonly HybridPublicKey[];
  /**
   * Orders a device to be suspended, or to be active again, and says so until it reports that it is.
   * @param handle as Command knows it, in hexadecimal
   * @param signers how many administrators sign; two must
   * @returns the order, which may reach the device by another way too
   */
  order(handle: string, state: OrderedState, signers?: 1 | 2): Promise<Uint8Array>;
  /** From now on somebody sees what Command sends and takes, in clear. */
  watch(observer: (direction: 'up' | 'down', message: FleetMessage) => void): void;
  close(): Promise<void>;
}

interface Bundles {
  readonly policy: PolicyBundle;
  readonly configuration: ConfigurationBundle;
  readonly apps: AppManifest;
}

export interface CommandPeerOptions {
  readonly directory: string;
  readonly secrets: PeerSecrets;
  readonly clock: Clock;
  readonly random: Random;
  readonly broker: BrokerPeer;
  readonly label: string;
  /** Who else is to know what a device reported: a director counts releases that failed. */
  readonly onReport?: (handle: string, report: DeviceReport) => void;
}

interface Member {
  readonly handle: string;
  readonly confirmationKey: Uint8Array;
  readonly sealingKey: Uint8Array;
  /** SubjectPublicKeyInfo of its TLS certificate. */
  readonly linkKey: Uint8Array;
}

const crypto = nodeCrypto;
const messageNames = { policy: 'PolicyBundle', configuration: 'ConfigurationBundle', apps: 'AppManifest' } as const;
const membershipMs = 24 * 3_600_000;
/** How often it is looked whom to remind. */
const lookMs = 500;
const messageLife = { isRetained: false, expiresAfterSeconds: 7 * 86_400 };

export const startCommand = async ({
  directory,
  secrets,
  clock,
  random,
  broker,
  label,
  onReport,
}: CommandPeerOptions): Promise<Result<CommandPeer>> => {
  const box = fleetHpke(crypto, random);
  const verifierKeys = hybridPublicKey(crypto, secrets.verifier);
  const members = new Map<string, Member>();
  const reports = new Map<string, DeviceReport>();
  const reminded = reminders(() => clock.bootMs());
  let observe: Parameters<CommandPeer['watch']>[0] = () => undefined;

  const repositoryDirectory = join(directory, 'repository');
  const approvers = approversFrom(crypto, secrets.custodians);
  const { repository, root } = unwrap(await openRepository(repositoryDirectory, approvers, clock));

  const leave = (memberLabel: string): void => {
    members.delete(memberLabel);
    reminded.forget(memberLabel);
  };
  const admit = async (request: FleetJoin): Promise<Result<FleetJoined>> => {
    const result = verifyResult(crypto, request.result, verifierKeys);
    if (!result.ok) return result;
    const { verifier, relyingParty, status, expiresAtSeconds, confirmationKey, handle } = result.value;
    if (verifier !== verifierName || relyingParty !== commandParty) return deny('attestation', 'result-audience');
    if (status !== 'affirming') return deny('attestation', 'not-affirming');
    if (expiresAtSeconds * 1000 < clock.nowMs()) return deny('attestation', 'stale');
    if (!crypto.ed25519.verify(confirmationKey, joinBytes(request), request.signature))
      return deny('integrity', 'signature-invalid', 'join');
    if (keyKindOf(request.linkKey) === undefined) return deny('protocol', 'field-invalid', 'a link key of another kind');
    const memberLabel = toHex(random.bytes(16));
    for (const [older, member] of members) if (member.handle === toHex(handle)) leave(older);
    members.set(memberLabel, {
      handle: toHex(handle),
      confirmationKey,
      sealingKey: request.sealingKey,
      linkKey: request.linkKey,
    });
    const certificate = await certifyClient(secrets.fleetAuthority, memberLabel, request.linkKey, membershipMs, clock);
    return ok({ certificate: certificateDer(certificate), label: memberLabel, expiresMs: clock.nowMs() + membershipMs });
  };

  const own = await ownIdentity(secrets, label, clock);
  const connected = await mqttBroker({
    host: broker.host,
    port: broker.port,
    authority: secrets.tlsAuthority.certificate,
    ...own,
    clientId: label,
    topics: ['enigm/v1/+/up'],
    random,
  });
  if (!connected.ok) return connected;
  const fleet = connected.value;

  const send = async (memberLabel: string, member: Member, body: Omit<FleetMessage, 'id'>): Promise<Result<void>> => {
    const message = { id: random.bytes(16), ...body };
    observe('down', message);
    const sealed = sealDown(crypto, box, member.sealingKey, memberLabel, message, secrets.command);
    return sealed.ok ? fleet.publish(`enigm/v1/${memberLabel}/down`, sealed.value, messageLife) : sealed;
  };
  const put = async <K extends ManagedClass>(
    target: ImageRepository,
    kind: K,
    bundle: Bundles[K],
    signers: readonly Signer[],
  ): Promise<Result<void>> => {
    const payload = encodeMessage(messageNames[kind], bundle as never);
    const entry = targetEntry(crypto, `${kind}/current`, payload, { releaseCounter: bundle.version });
    const stored = await target.files.put(targetPath(`${kind}/${entry.sha256}.current`), payload);
    if (!stored.ok) return stored;
    const signed = await signClass(target, kind, [entry], signers, clock.nowMs());
    return signed.ok ? publishRoles(target, [signed.value], approvers.publisher, clock.nowMs()) : signed;
  };
  let isTakenOver = false;
  /** Rises over restarts of the simulator too: a device remembers how far it has come. */
  let counter = 0;
  const listening = new AbortController();
  const listen = async () => {
    for await (const { topic, payload } of fleet.messages(listening.signal)) {
      const memberLabel = topic.split('/')[2] ?? '';
      const member = members.get(memberLabel);
      if (member === undefined) continue;
      const message = openUp(crypto, box, secrets.commandSealing, payload, member.confirmationKey);
      if (!message.ok || message.value.report === undefined) continue;
      observe('up', message.value);
      reports.set(member.handle, message.value.report);
      onReport?.(member.handle, message.value.report);
      await send(memberLabel, member, { acknowledgement: { id: message.value.id } });
    }
  };
  const remind = async () => {
    while (!listening.signal.aborted) {
      for (const [memberLabel, member] of members)
        for (const reminder of reminded.due(memberLabel, member.handle, reports.get(member.handle)))
          await send(memberLabel, member, reminder);
      await clock.sleep(lookMs, listening.signal);
    }
  };
  const working = Promise.all([listen(), remind()]);

  const door = await serveHttps({
    dispatcher: dispatcher<CommandMethods>(commandMethods, { 'fleet.join': admit }),
    ...(await certifyServer(secrets.tlsAuthority, clock)),
    host: '127.0.0.1',
    port: 0,
  });
  return ok({
    url: `https://127.0.0.1:${door.port}/v1`,
    repositoryDirectory,
    root,
    sealingKey: box.kem.publicKey(secrets.commandSealing),
    report: (handle) => reports.get(handle),
    linkKey: (handle) => [...members.values()].find((member) => member.handle === handle)?.linkKey,
    approvers: (kind) => approvers.of(kind),
    publish: (kind, bundle, signers = approvers.of(kind)) => {
      if (!isTakenOver) return put(repository, kind, bundle, signers);
      const careless = { ...repository.classes, [kind]: { ...repository.classes[kind], threshold: 1 } };
      return put({ ...repository, classes: careless }, kind, bundle, signers.slice(0, 1));
    },
    takeOver: () => {
      isTakenOver = true;
    },
    administrators: approvers.administrators.map((secret) => hybridPublicKey(crypto, secret)),
    async order(handle, state, signers = 2) {
      counter = Math.max(counter + 1, Math.floor(clock.nowMs()));
      const order = encodeMessage('LifecycleOrder', { handle: fromHex(handle) ?? new Uint8Array(), state, counter });
      const envelope = sealEnvelope(crypto, orderHeader, order, approvers.administrators.slice(0, signers));
      reminded.order(handle, state, envelope);
      for (const [memberLabel, member] of members)
        if (member.handle === handle) await send(memberLabel, member, { order: { envelope } });
      return envelope;
    },
    watch: (observer) => {
      observe = observer;
    },
    async announce(kind, version) {
      reminded.want(kind, version);
      for (const [memberLabel, member] of members) {
        const sent = await send(memberLabel, member, { announcement: { kind, version } });
        if (!sent.ok) return sent;
      }
      return done;
    },
    async close() {
      listening.abort();
      await working;
      await fleet.close();
      await door.close();
    },
  });
};

const ownIdentity = async (secrets: PeerSecrets, label: string, clock: Clock) => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const info = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
  return {
    certificate: await certifyClient(secrets.fleetAuthority, label, info, membershipMs, clock),
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  };
};
