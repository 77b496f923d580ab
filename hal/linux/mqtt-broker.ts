/**
 * `Broker` over MQTT 5 (OASIS standard) and TLS 1.3 with a client certificate.
 *
 * The session outlives the connection: what comes while we are away waits at the broker. Reconnects wait a random time
 * up to a growing bound, so that a fleet does not come back all at once.
 */
import type { MqttClient } from 'mqtt';
import { attemptAsync, deny, done, ok, type Result } from '#hal/core/result';
import { type Broker, type BrokerMessage, maxPayloadBytes } from '#hal/ports/broker';
import type { Random } from '#hal/ports/random';
import { connectMqtt, type HandleMessage, type MqttEnd } from './mqtt-connection.ts';
import { isCertificateTime, unreached } from './tls-client.ts';

export interface MqttOptions extends Omit<MqttEnd, 'maxPacketBytes'> {
  /** 32 lower-case hexadecimal digits: says nothing about who we are (SR-20). */
  readonly clientId: string;
  readonly topics: readonly string[];
  readonly random: Random;
}

const connectWithinMs = 10_000;
const keepAliveSeconds = 60;
/** The broker keeps our session this long while we are away. */
const sessionSeconds = 7 * 86_400;
const firstWaitMs = 1_000;
const maxWaitMs = 300_000;
const publishWithinMs = 15_000;
const maxQueued = 256;
/** Our largest payload, with room for its topic and its properties. */
const maxPacketBytes = maxPayloadBytes + 1024;

/** @returns the connected broker, or `unavailable/broker-unreachable`, `unavailable/broker-refused-us` */
export const mqttBroker = async (options: MqttOptions): Promise<Result<Broker>> => {
  const { clientId, topics, random } = options;
  const settings = {
    protocolVersion: 5,
    clientId,
    clean: false,
    keepalive: keepAliveSeconds,
    connectTimeout: connectWithinMs,
    reconnectPeriod: firstWaitMs,
    resubscribe: true,
    properties: { sessionExpiryInterval: sessionSeconds, receiveMaximum: 16 },
  } as const;
  const { handleMessage, messages } = incoming();
  const opened = await attemptAsync(() => connectMqtt({ ...options, maxPacketBytes }, settings, handleMessage), refusalOf);
  if (!opened.ok) return opened;
  const client = opened.value;
  reconnectWithJitter(client, random);
  const subscribed = await attemptAsync(
    () => client.subscribeAsync([...topics], { qos: 1 }),
    (cause) => deny('unavailable', 'broker-refused-us', cause),
  );
  if (!subscribed.ok) return client.endAsync(true).then(() => subscribed);
  return ok({
    isConnected: () => client.connected,
    messages,
    async publish(topic, payload, { isRetained, expiresAfterSeconds }) {
      if (payload.length > maxPayloadBytes) return deny('protocol', 'too-large', 'broker message');
      if (!client.connected) return deny('unavailable', 'broker-unreachable', 'not connected');
      const late = AbortSignal.timeout(publishWithinMs);
      const published = attemptAsync(
        async () => {
          const properties = { messageExpiryInterval: expiresAfterSeconds };
          await client.publishAsync(topic, Buffer.from(payload), { qos: 1, retain: isRetained, properties });
        },
        (cause) => deny('unavailable', 'broker-refused-us', cause),
      );
      const timeUp = new Promise<Result<void>>((resolve) =>
        late.addEventListener('abort', () => resolve(deny('resource', 'time-limit', 'broker')), { once: true }),
      );
      return Promise.race([published, timeUp]).then((result) => (result.ok ? done : result));
    },
    close: () => client.endAsync(true),
  });
};

const refusalOf = (cause: string) => {
  if (isCertificateTime(cause)) return unreached(cause);
  return /not authorized|bad certificate|certificate required|unknown ca|alert/i.test(cause)
    ? deny('unavailable', 'broker-refused-us', cause)
    : deny('unavailable', 'broker-unreachable', cause);
};

/**
 * A message is acknowledged to the broker when it is queued here; one that is larger than it may be is dropped. Only a
 * full queue holds the acknowledgement back, and with it everything that comes after, answers to our own messages too:
 * whoever takes messages must not stop.
 */
const incoming = (): { readonly handleMessage: HandleMessage; readonly messages: Broker['messages'] } => {
  const queue: BrokerMessage[] = [];
  let wake = () => {};
  let resume: (() => void) | undefined;
  const handleMessage: HandleMessage = (packet, acknowledge) => {
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    if (payload.length > maxPayloadBytes) return acknowledge();
    queue.push({ topic: packet.topic, payload: new Uint8Array(payload) });
    if (queue.length < maxQueued) acknowledge();
    else resume = acknowledge;
    wake();
  };
  const messages: Broker['messages'] = async function* (signal) {
    const stop = () => wake();
    signal.addEventListener('abort', stop, { once: true });
    while (!signal.aborted) {
      const next = queue.shift();
      if (next === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      resume?.();
      resume = undefined;
      yield next;
    }
    signal.removeEventListener('abort', stop);
  };
  return { handleMessage, messages };
};

/** The library waits by the time that stands there when a connection is lost, so each is drawn before: the first one too. */
const reconnectWithJitter = (client: MqttClient, random: Random): void => {
  let boundMs = firstWaitMs;
  const draw = () => {
    const [a = 0, b = 0] = random.bytes(2);
    client.options.reconnectPeriod = Math.max(50, Math.floor((boundMs * (a * 256 + b)) / 65_536));
  };
  draw();
  client.on('connect', () => {
    boundMs = firstWaitMs;
    draw();
  });
  client.on('close', () => {
    boundMs = Math.min(boundMs * 2, maxWaitMs);
    draw();
  });
};
