/**
 * Where releases of the operating system come from: built out of a tree, taken through the publisher's desk, put into
 * the administration's repository. Also what an owned publisher would put there.
 */
import { join } from 'node:path';
import type { FactoryRelease } from '#agents/release/build';
import { readManifest } from '#agents/update/manifest';
import { toHex } from '#hal/core/bytes';
import { codeOf, deny, done, ok, type Result } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { openDurableStore } from '#hal/linux/durable-store';
import type { Clock } from '#hal/ports/clock';
import type { Offer } from '#ota-client/repository/director';
import { consistentPath } from '#ota-client/repository/files';
import {
  completeRelease,
  type Desk,
  draftRelease,
  haltRelease,
  offers,
  reportFailure,
  reviewRelease,
  rollRelease,
  signRelease,
  stageRelease,
} from '#ota-client/repository/publisher';
import { allReleases, loadRelease, type ReleaseRecord } from '#ota-client/repository/release-record';
import { isOffered, type ReleaseState } from '#ota-client/repository/release-table';
import type { ReleaseFacts } from '#ota-client/slots/ledger';
import { openStatement, type ReleasePolicy } from '#ota-client/slots/statement';
import type { AskedWitness } from '#ota-client/transparency/gather';
import type { DeviceReport } from '#protos/gen/types';
import { approversFrom } from './approvers.ts';
import { leftReleases, type OfferedRelease } from './left-releases.ts';
import { withoutLastSignature } from './mirror.ts';
import { openReleaseLog } from './release-log.ts';
import {
  type BuiltPlan,
  buildPlan,
  factoryRelease,
  type ImageOfPlan,
  type ReleaseClass,
  type ReleasePlan,
  releasePolicies,
  simulatedHardware,
} from './release-plans.ts';
import { openRepository } from './repository.ts';
import type { PeerSecrets } from './secrets.ts';

export interface Releases {
  /** What slot a holds when a device leaves the factory. */
  readonly factory: FactoryRelease;
  readonly hardware: string;
  /** The root of the image repository, for the image of a device. */
  readonly root: Uint8Array;
  /** How hands open a statement: keys of one class count for that class alone (SR-03). */
  policyOf(name: ReleaseClass): ReleasePolicy;
  /** Image, hash tree, statement, payload; nothing is uploaded yet. */
  build(plan: ReleasePlan): Promise<Result<BuiltPlan>>;
  /**
   * From wherever the release is to `rolling`: drafted, reviewed, signed by both, staged, rolled. Called again after a
   * refusal it goes on from there; a halted release is reviewed and signed anew.
   * @param permille how many of a thousand devices it is offered to
   * @returns `policy/references-missing` while the verifier does not know it (SR-13), and the faults of the desk
   */
  publish(release: BuiltPlan, permille?: number): Promise<Result<ReleaseRecord>>;
  roll(id: string, permille: number): Promise<Result<ReleaseRecord>>;
  complete(id: string): Promise<Result<ReleaseRecord>>;
  halt(id: string): Result<ReleaseRecord>;
  record(id: string): Result<ReleaseRecord>;
  /** What a director may name now. */
  offers(): Result<readonly Offer[]>;
  /** A device that fell back from a release counts against it; enough of them halt the rollout. */
  note(handle: string, report: DeviceReport): Promise<Result<void>>;
  /** Whether the image with this hash tree bears the mark. */
  isUnhealthy(verityRoot: Uint8Array): boolean;
  /**
   * From now on what is signed has one custodian only, or lacks one signature; the publisher does not mind. `keys`: both
   * custodians' keys were stolen, all is signed as it should be, and the log hears nothing of it.
   */
  takeOver(how: 'custodian' | 'signature' | 'keys'): void;
  /** What this publisher left out of the log, and why. */
  readonly leftOut: readonly string[];
  close(): void;
}

export interface ReleasesOptions {
  /** Of the peers: `repository` in it is the one that is served. */
  readonly directory: string;
  readonly imageOf: ImageOfPlan;
  readonly secrets: Pick<PeerSecrets, 'custodians'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** SR-13: whether the verifier knows what a device with this release measures. */
  readonly areReferencesLive: (verityRoot: Uint8Array) => boolean;
  readonly haltAfterFailures?: number;
  /** Who cosigns the log of releases; in this process where nobody else is given. */
  readonly witnesses?: readonly AskedWitness[];
}

const crypto = nodeCrypto;
const people = { author: 'ada', reviewer: 'bea', publisher: 'cyd' } as const;

/** @returns the factory with the first release built, or the faults of `imageOf` */
export const openReleases = async (options: ReleasesOptions): Promise<Result<Releases>> => {
  const { directory, imageOf, secrets, clock, areReferencesLive } = options;
  const approvers = approversFrom(crypto, secrets.custodians);
  const opened = await openRepository(join(directory, 'repository'), approvers, clock);
  if (!opened.ok) return opened;
  const { repository, root } = opened.value;
  const store = openDurableStore(join(directory, 'releases.db'));
  if (!store.ok) return store;
  const log = openReleaseLog({ directory, files: repository.files, seed: secrets.custodians, clock }, options.witnesses);
  if (!log.ok) {
    store.value.close();
    return log;
  }
  const unhealthy = new Set<string>();
  const leftBy = leftReleases();
  const leftOut: string[] = [];
  let takenOver: 'custodian' | 'signature' | 'keys' | undefined;

  const policyOf = releasePolicies(approvers);

  /** As published, whoever signed it. */
  const factsOf = async ({ class: name, entries: [entry] }: ReleaseRecord): Promise<Result<ReleaseFacts>> => {
    if (entry === undefined) return deny('unavailable', 'not-found', 'a release without a target');
    const bytes = await repository.files.get(consistentPath(entry));
    if (!bytes.ok) return bytes;
    const manifest = readManifest(bytes.value ?? new Uint8Array());
    if (!manifest.ok) return manifest;
    const statement = openStatement({ ...policyOf(name as ReleaseClass), threshold: 1 }, manifest.value.statement);
    return statement.ok ? ok(statement.value.release) : statement;
  };

  const unseen: Desk = {
    repository,
    store: store.value,
    clock,
    haltAfterFailures: options.haltAfterFailures ?? 1,
    areReferencesLive: async (release) => {
      const facts = await factsOf(release);
      return facts.ok ? ok(areReferencesLive(facts.value.verityRoot)) : facts;
    },
  };
  const desk: Desk = {
    ...unseen,
    transparency: { record: log.value.record, leftOut: ({ id }, code) => leftOut.push(`${id} ${code}`) },
  };

  const workshop = { approvers, policyOf, imageOf, root };
  const left = await factoryRelease(directory, workshop);
  if (!left.ok) {
    log.value.close();
    store.value.close();
    return left;
  }
  const factory = left.value;

  const upload = async ({ entry, manifest, contents }: BuiltPlan): Promise<Result<void>> => {
    for (const [path, bytes] of [...contents, [consistentPath(entry), manifest] as const]) {
      const stored = await repository.files.put(path, bytes);
      if (!stored.ok) return stored;
    }
    return done;
  };

  const sign = async ({ id, class: name }: ReleaseRecord): Promise<Result<ReleaseRecord>> => {
    const signers = approvers.of(name);
    if (takenOver === 'custodian') {
      const classes = { ...repository.classes, [name]: { ...repository.classes[name], threshold: 1 } };
      return signRelease({ ...desk, repository: { ...repository, classes } }, id, signers.slice(0, 1));
    }
    const signed = await signRelease(desk, id, signers);
    if (!signed.ok || takenOver !== 'signature') return signed;
    const kept = store.value.get(`signed/${id}`);
    if (!kept.ok || kept.value === undefined) return kept.ok ? signed : kept;
    const stripped = store.value.put(`signed/${id}`, withoutLastSignature(kept.value));
    return stripped.ok ? signed : stripped;
  };

  /** The one step that leads on from a state; a state without one is where publishing ends. */
  const onward = (permille: number): Partial<Record<ReleaseState, (record: ReleaseRecord) => Promise<Result<ReleaseRecord>>>> => {
    const review = async ({ id }: ReleaseRecord) => reviewRelease(desk, id, people.reviewer);
    return {
      draft: review,
      halted: review,
      reviewed: sign,
      async signed(record) {
        const staged = await stageRelease(takenOver === 'keys' ? unseen : desk, record.id, approvers.publisher);
        // Another release of the class was published since: these signatures name an old version.
        return !staged.ok && codeOf(staged.fault) === 'integrity/metadata-rollback' ? review(record) : staged;
      },
      staged: ({ id }) => rollRelease(desk, id, permille, people.publisher),
    };
  };

  return ok({
    factory,
    hardware: simulatedHardware,
    root,
    policyOf,
    async build(plan) {
      const built = await buildPlan(workshop, plan, [factory]);
      if (built.ok && plan.isUnhealthy === true) unhealthy.add(toHex(built.value.facts.verityRoot));
      return built;
    },
    async publish(release, permille = 1000) {
      const { id, class: name, entry } = release;
      const uploaded = await upload(release);
      if (!uploaded.ok) return uploaded;
      const known = loadRelease(desk.store, id);
      let at = known.ok
        ? known
        : draftRelease(desk, { id, class: name, author: people.author, custom: entry.custom, entries: [entry] });
      const steps = onward(permille);
      for (;;) {
        const step = at.ok ? steps[at.value.state] : undefined;
        if (!at.ok || step === undefined) return at;
        at = await step(at.value);
      }
    },
    roll: (id, permille) => rollRelease(desk, id, permille, people.publisher),
    complete: (id) => completeRelease(desk, id, people.publisher),
    halt: (id) => haltRelease(desk, id, people.publisher),
    record: (id) => loadRelease(desk.store, id),
    offers: () => offers(desk),
    async note(handle, report) {
      const all = allReleases(desk.store);
      if (!all.ok) return all;
      const offered: OfferedRelease[] = [];
      for (const release of all.value) {
        if (release.class !== 'os' || !isOffered(release.state)) continue;
        const facts = await factsOf(release);
        if (!facts.ok) return facts;
        offered.push({ id: release.id, facts: facts.value });
      }
      for (const id of leftBy(handle, report, offered)) {
        const counted = reportFailure(desk, id, handle);
        if (!counted.ok) return counted;
      }
      return done;
    },
    isUnhealthy: (root) => unhealthy.has(toHex(root)),
    takeOver: (how) => {
      takenOver = how;
    },
    leftOut,
    close: () => {
      log.value.close();
      store.value.close();
    },
  });
};
