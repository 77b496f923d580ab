/** The door of the hands to the mind. */
import type { Methods } from '#hal/remote/methods';

export const handsMethods = {
  'hands.hello': { request: 'Nothing', reply: 'HandsHello' },
  'tpm.identity': { request: 'Nothing', reply: 'TpmIdentity' },
  'tpm.activate': { request: 'TpmCredential', reply: 'TpmSecret' },
  'tpm.quote': { request: 'TpmQuoteRequest', reply: 'TpmQuote' },
  'tpm.readCounter': { request: 'Nothing', reply: 'TpmCounter' },
  'tpm.advanceCounter': { request: 'Nothing', reply: 'TpmCounter' },
  'keys.publicKey': { request: 'KeyRequest', reply: 'HybridKey' },
  'keys.sign': { request: 'SignRequest', reply: 'HybridSignature' },
  'keys.handle': { request: 'HandleRequest', reply: 'Handle' },
  /** Epochs of the device's own classes, and the list of revoked keys. */
  'keys.state': { request: 'Nothing', reply: 'KeysState' },
  'keys.rotate': { request: 'KeyRotation', reply: 'Nothing', needsPermit: true },
  'keys.revoke': { request: 'KeyRevocation', reply: 'Nothing', needsPermit: true },
  'bootLog.read': { request: 'Nothing', reply: 'BootLog' },
  'platform.read': { request: 'Nothing', reply: 'PlatformFacts' },
  /** Which calls the programs of the device made: numbers, and whose. */
  'signals.take': { request: 'Nothing', reply: 'CallWindows' },
  'provision.receipt': { request: 'Nothing', reply: 'Receipt' },
  'network.apply': { request: 'NetworkChange', reply: 'NetworkState', needsPermit: true },
  'network.expected': { request: 'NetworkPolicy', reply: 'NetworkDigest' },
  'network.read': { request: 'Nothing', reply: 'NetworkReading' },
  'switches.set': { request: 'SwitchState', reply: 'Nothing', needsPermit: true },
  'switches.read': { request: 'Nothing', reply: 'SwitchStates' },
  'apps.allow': { request: 'AppManifest', reply: 'AppsState', needsPermit: true },
  'apps.block': { request: 'AppBlock', reply: 'AppsState', needsPermit: true },
  'apps.start': { request: 'AppRequest', reply: 'Nothing', needsPermit: true },
  'apps.read': { request: 'Nothing', reply: 'AppsState' },
  'update.begin': { request: 'UpdateBegin', reply: 'UpdateBegun', needsPermit: true },
  'update.write': { request: 'SegmentWrite', reply: 'Nothing' },
  'update.take': { request: 'SegmentsTake', reply: 'SegmentsTaken' },
  'update.flush': { request: 'UpdateOwner', reply: 'UpdateProgress' },
  'update.finish': { request: 'UpdateOwner', reply: 'Nothing' },
  'update.abandon': { request: 'UpdateOwner', reply: 'Nothing' },
  'update.arm': { request: 'SignedRelease', reply: 'UpdateArmed', needsPermit: true },
  'update.commit': { request: 'Nothing', reply: 'Nothing', needsPermit: true },
  'update.rollBack': { request: 'KeptRelease', reply: 'Nothing', needsPermit: true },
  'update.giveUp': { request: 'TrialEnd', reply: 'Nothing', needsPermit: true },
  'update.raiseFloor': { request: 'KeptRelease', reply: 'Nothing', needsPermit: true },
  'update.status': { request: 'Nothing', reply: 'SlotsStatus' },
  'update.readRunning': { request: 'RunningRead', reply: 'RunningPart' },
  'update.health': { request: 'Nothing', reply: 'HealthReadings' },
  'power.reboot': { request: 'RebootRequest', reply: 'Nothing', needsPermit: true },
} as const satisfies Methods;

export type HandsMethods = typeof handsMethods;
