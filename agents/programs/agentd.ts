/**
 * enigm-agentd, the mind: decides, records, verifies, plans. No devices, no network, no addons; what it wants done in
 * the world it asks of the hands, under permits.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { apiDoor } from '#agents/api/door';
import { type ApiMethods, apiMethods, feedMethods } from '#agents/api/methods';
import { attestAgent } from '#agents/attest/agent';
import { attestor } from '#agents/attest/attestor';
import { verifierLink } from '#agents/attest/verifier-link';
import { auditAgent } from '#agents/audit/agent';
import { openAuditLog } from '#agents/audit/log';
import { openAuditStoreOrAnew } from '#agents/audit/store';
import { cedarEngine } from '#agents/decision/engine';
import { keptMemoryName } from '#agents/decision/engine-memory';
import { exitsOnly } from '#agents/decision/exits';
import { policyDigest } from '#agents/decision/policy';
import { defenseAgent } from '#agents/defense/agent';
import { newDefense } from '#agents/defense/defense';
import { imageModel } from '#agents/defense/image-model';
import { outcomeIntake } from '#agents/defense/intake';
import { openModels } from '#agents/defense/models';
import { orderIntake } from '#agents/management/order-intake';
import { parseSite } from '#agents/management/site';
import { openState } from '#agents/management/state';
import { recordBoot, recordVisit } from '#agents/management/visit';
import { authorizer } from '#agents/mind/authorizer';
import { farEnds } from '#agents/mind/far-ends';
import { handsLife } from '#agents/mind/life';
import type { MindParts } from '#agents/mind/parts';
import { postureKeeper } from '#agents/mind/posture-keeper';
import { timeKeeper } from '#agents/mind/time-keeper';
import { trust as newTrust } from '#agents/mind/trust';
import { watchers as newWatchers } from '#agents/mind/watchers';
import { networkAgent } from '#agents/network/agent';
import { policyAgent } from '#agents/policy/agent';
import { enforcer } from '#agents/policy/enforcer';
import { postureAgent } from '#agents/posture/agent';
import { presenter } from '#agents/session/presenter';
import { type Agent, type Supervision, superviseAgents } from '#agents/supervisor/agent';
import { trialAgent } from '#agents/update/agent';
import { verifierMethods } from '#attestation/verifier-methods';
import { equalBytes, fromBase64, toHex } from '#hal/core/bytes';
import { codeOf, deny, type Failure, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { readIfThere } from '#hal/linux/atomic-file';
import { linuxClock } from '#hal/linux/clock';
import { leaveClockMark } from '#hal/linux/clock-mark';
import { openDurableStore } from '#hal/linux/durable-store';
import { systemRandom } from '#hal/linux/random';
import { dispatcher } from '#hal/remote/dispatcher';
import { exchangeClient } from '#hal/remote/exchange-client';
import { remoteHands } from '#hal/remote/hands-client';
import { handsMethods } from '#hal/remote/hands-methods';
import { remoteInference } from '#hal/remote/inference-client';
import { inferenceMethods } from '#hal/remote/inference-methods';
import { lateDoor } from '#hal/remote/late-door';
import { linkMethods } from '#hal/remote/link-methods';
import type { Handlers, Methods } from '#hal/remote/methods';
import { socketClient } from '#hal/remote/socket-client';
import { serveSocket } from '#hal/remote/socket-server';
import { fleetOf, managerOf } from './fleet.ts';
import { custodyOf, keysAtStart, openRevocations } from './keys.ts';
import { clockMarkPath, deviceLayout, socketPath } from './layout.ts';
import { provisionedHands } from './provisioned-hands.ts';
import { aborted, exitCode, runProgram } from './runtime.ts';
import { updaterOf } from './updates.ts';

/** Made with the program, and beside it; the engine does without what cannot be read. */
const keptMemory = (): Uint8Array | undefined => {
  const kept = readIfThere(join(dirname(process.argv[1] ?? ''), keptMemoryName));
  return kept.ok ? kept.value : undefined;
};

runProgram('enigm-agentd', ['directory', 'run'], async ({ options, log, signal, ready }) => {
  const clock = linuxClock();
  const layout = deviceLayout(options.directory);
  const site = unwrap(parseSite(readFileSync(layout.site, 'utf8')));
  const life = new AbortController();
  signal.addEventListener('abort', () => life.abort(), { once: true });

  const hands = remoteHands(socketClient(handsMethods, socketPath(options.run, 'hands')));
  const link = socketClient(linkMethods, socketPath(options.run, 'link'));
  const inference = socketClient(inferenceMethods, socketPath(options.run, 'inference'));

  let door: Handlers<ApiMethods> | Failure = deny('unavailable', 'program-down');
  const serve = async <M extends Methods>(methods: M, name: 'api' | 'feed', behind: () => Handlers<M> | Failure) =>
    unwrap(await serveSocket(dispatcher(methods, lateDoor(methods, behind)), { path: socketPath(options.run, name), log }));
  const api = await serve(apiMethods, 'api', () => door);
  const feed = await serve(feedMethods, 'feed', () => door);
  const closeDoors = () => Promise.all([api.close(), feed.close()]);

  const hello = await provisionedHands(hands, clock, signal, (failure) => {
    door = failure;
  });
  if (hello === undefined) {
    await closeDoors();
    return exitCode.done;
  }

  const crypto = nodeCrypto;
  const store = unwrap(openDurableStore(join(layout.mind, 'mind.db')));
  const state = unwrap(openState(store));
  const trust = newTrust(() => clock.bootMs());
  const keys = unwrap(await keysAtStart(hands, crypto, state));
  const auditStore = unwrap(openAuditStoreOrAnew(join(layout.mind, 'audit.db'), clock.nowMs()));
  if (auditStore.putAside !== undefined) log.error('audit.put-aside', { path: auditStore.putAside });
  const audit = await openAuditLog({
    store: auditStore.store,
    clock,
    crypto,
    bootId: hello.bootId,
    ...keys.audit,
    sign: (message) => hands.keys.sign('audit', message),
    readCounter: () => hands.tpm.readCounter(),
    advanceCounter: () => hands.tpm.advanceCounter(),
  });
  const revocations = openRevocations(keys, crypto, site, audit);
  const { isRevoked } = revocations;
  trust.holdHandle({ handle: toHex(keys.handles.own), epoch: state.current().handleEpoch });
  const leaveMark = (signedMs: number) => {
    const left = leaveClockMark(clockMarkPath(options.directory), signedMs);
    if (!left.ok) log.warn('clock.no-mark', { code: codeOf(left.fault), cause: left.fault.detail ?? '' });
  };
  const far = farEnds(link, clock);
  const policy = await cedarEngine(keptMemory());
  const parts: MindParts = {
    clock,
    log,
    crypto,
    hands,
    audit,
    state,
    trust,
    life: handsLife(clock, hands.hello, hello),
    link: {
      isAlive: async (callSignal) => (await link.call('link.status', {}, { signal: callSignal })).ok,
      status: (callSignal) => link.call('link.status', {}, { signal: callSignal }),
    },
    inference: remoteInference(inference),
    verifier: verifierLink({
      client: exchangeClient(verifierMethods, far.exchange, 'verifier'),
      collector: { tpm: hands.tpm, keys: hands.keys, bootLog: hands.bootLog },
      crypto,
      random: systemRandom,
      verifier: { ...site.verifier, isRevoked },
    }),
    // Without an engine the mind stays, to say so and to be repaired.
    engine: policy.ok ? policy.value : exitsOnly(policy.fault),
    time: timeKeeper(clock, state, log, leaveMark),
    statementKeys: { ...site.statementKeys, isRevoked },
    watchers: newWatchers(),
  };
  let supervision: Supervision | undefined;
  const posture = postureKeeper({
    ...parts,
    programs: {
      hands: async () => {
        const answered = await hands.hello();
        // Another boot id means that the machine restarted under us: a new boot wants a new mind.
        if (answered.ok && !equalBytes(answered.value.bootId, hello.bootId)) life.abort();
        return answered.ok;
      },
      link: (callSignal) => parts.link.isAlive(callSignal),
    },
    agents: () => supervision?.health() ?? [],
  });

  if (audit.status().size === 0) await recordVisit(hands, crypto, audit, isRevoked);
  await recordBoot(hello.bootId, state, audit);
  // Where the engine above took the policy, it parsed.
  const taken = policy.ok ? ({ outcome: 'done' } as const) : ({ outcome: 'failed', fault: policy.fault } as const);
  await audit.record({ event: 'verify.policy', changeReference: policyDigest, ...taken });
  if (!policy.ok) log.error('engine.failed', { code: codeOf(policy.fault), detail: policy.fault.detail ?? '' });
  ready({ boot: toHex(hello.bootId), audit: audit.status().state });

  const full = {
    ...parts,
    posture,
    attestor: attestor(parts),
    authorizer: authorizer(parts, posture),
    presenter: presenter(parts),
  };
  const outcomes = outcomeIntake({
    ...full,
    store,
    outcomeKeys: site.outcomeKeys,
    isRevoked,
    intelligenceHandle: keys.handles.intelligence,
  });
  const defense = newDefense({
    ...parts,
    signals: hands.signals,
    models: openModels({ store, log, image: fromBase64(imageModel) ?? new Uint8Array(), processor: process.arch }),
    outcomes,
  });
  const orders = orderIntake({
    ...full,
    keys: site.fleet?.administrators ?? [],
    isRevoked,
    handle: keys.handles.command,
  });
  const managed = enforcer({ hands, authorizer: full.authorizer, store, clock, log });
  const agents: Agent<MindParts>[] = [
    postureAgent(posture, () => (managed.configuration()?.postureEverySeconds ?? 0) * 1000 || site.postureEveryMs),
    attestAgent,
    auditAgent,
    defenseAgent(defense),
    networkAgent,
    policyAgent(managed, hello.permitKey),
  ];
  const manager = site.fleet === undefined ? undefined : managerOf(full, site.fleet, { enforcer: managed, far, store });
  const updates =
    site.fleet?.update === undefined
      ? undefined
      : updaterOf(full, site.fleet, site.fleet.update, { far, store, agents: () => supervision?.health() ?? [] });
  if (updates !== undefined) agents.push(trialAgent(updates, clock, log));
  if (site.fleet !== undefined && manager !== undefined)
    agents.push(
      fleetOf(full, site.fleet, {
        ...{ manager, updates, link, far, isRevoked, orders },
        risk: () => defense.telemetry(managed.configuration()?.approvesTelemetry === true),
      }),
    );
  if (hello.networkFault !== undefined) log.error('network.closed', { code: hello.networkFault });
  await managed.restore();
  await outcomes.restore();
  supervision = superviseAgents(agents, parts, { clock, log }, life.signal);
  door = apiDoor({
    ...full,
    defense,
    orders,
    custody: custodyOf(full, { site, store, revocations, startAnew: () => life.abort() }),
    ...(manager === undefined ? {} : { manager }),
    ...(updates === undefined ? {} : { updater: updates }),
  });

  await aborted(life.signal);
  door = deny('unavailable', 'program-down');
  await supervision?.ended;
  await audit.close();
  store.close();
  await closeDoors();
  return signal.aborted ? exitCode.done : exitCode.restart;
});
