/** A message broker, which carries sealed bytes between this device and whoever it serves, and is trusted with nothing. */
import type { Result } from '#hal/core/result';

export interface Broker {
  /**
   * Resolves when the broker has taken the message over (MQTT 5 §4.3.2, at least once): not that anybody received it.
   * @param payload at most 128 KiB
   * @returns nothing, or `unavailable/broker-unreachable`, `unavailable/broker-refused-us`, `resource/time-limit`
   */
  publish(topic: string, payload: Uint8Array, options: PublishOptions): Promise<Result<void>>;
  /**
   * What comes on the topics this client asked for, in order, one reader at a time. The broker has its acknowledgement by
   * then: that a message was *dealt with* is acknowledged end to end, by whoever deals with it.
   */
  messages(signal: AbortSignal): AsyncIterable<BrokerMessage>;
  isConnected(): boolean;
  close(): Promise<void>;
}

export interface PublishOptions {
  /** The broker keeps the newest such message of a topic for who comes later. */
  readonly isRetained: boolean;
  /** The broker forgets the message after this time. */
  readonly expiresAfterSeconds: number;
}

export interface BrokerMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
}

export const maxPayloadBytes = 128 * 1024;
