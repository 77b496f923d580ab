/**
 * The part of the host that must work when nothing else does (SR-11): bytes from the line become durable alerts, and
 * answers of contacts become frames. No session, no policy, no key.
 */
import type { Result } from '#hal/core/result';
import { decodeSubmission } from '../core/alert-format.ts';
import { channels, emptyReader, encodeFrame, type Frame, readFrames } from '../core/frame.ts';
import type { AlertQueue } from './queue.ts';

export interface RelayEvents {
  /** A frame of a handshake or a session. */
  onFrame(frame: Frame): void;
  /** An alert was queued, or could not be: then the Key will send it again. */
  onAlert(queued: Result<void>): void;
}

export class Relay {
  /** Frames that were not whole; never answered. */
  dropped = 0;
  private reader = emptyReader;
  private readonly queue: AlertQueue;
  private readonly events: RelayEvents;

  constructor(queue: AlertQueue, events: RelayEvents) {
    this.queue = queue;
    this.events = events;
  }

  feed(bytes: Uint8Array): void {
    const read = readFrames(this.reader, bytes);
    this.reader = read.reader;
    this.dropped += read.dropped;
    for (const frame of read.frames) this.take(frame);
  }

  private take(frame: Frame) {
    if (frame.channel !== channels.event) return this.events.onFrame(frame);
    const submission = decodeSubmission(frame.body);
    if (submission === undefined) this.dropped += 1;
    else this.events.onAlert(this.queue.accept(submission));
  }
}

/** A contact's answer, as the Key reads it from the line; sealed to nobody, authenticated to the Key. */
export const ackFrame = (ack: Uint8Array): Uint8Array => encodeFrame({ channel: channels.event, sequence: 0, body: ack });
