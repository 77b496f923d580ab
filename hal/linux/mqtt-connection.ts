/** The connection below `mqttBroker`: TLS 1.3 with a client certificate, ended by us with a packet that we do not take. */
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, createSecureContext, type SecureContext } from 'node:tls';
import { type IClientOptions, MqttClient } from 'mqtt';
import { checkedPackets } from './mqtt-stream.ts';
import { tlsClient } from './tls-client.ts';

export interface MqttEnd {
  readonly host: string;
  readonly port: number;
  /** PEM of the one authority that may vouch for the broker. */
  readonly authority: string;
  /** PEM, ours. */
  readonly certificate: string;
  readonly key: string;
  /** Of one packet, header and all: the broker is told, and not believed. */
  readonly maxPacketBytes: number;
}

/** What becomes of a message: the broker keeps it until it is acknowledged. */
export type HandleMessage = MqttClient['handleMessage'];

/**
 * Connects once; a connection that is lost later is made anew by the library.
 * @param handleMessage from the first packet on: what waited for us comes together with the answer to our CONNECT
 * @throws why there is no connection
 */
export const connectMqtt = (end: MqttEnd, settings: IClientOptions, handleMessage?: HandleMessage): Promise<MqttClient> =>
  new Promise((resolve, reject) => {
    const context = contextOf(end);
    const properties = { ...settings.properties, maximumPacketSize: end.maxPacketBytes };
    const client = new MqttClient((opening) => openSocket(opening, end, context), { ...settings, properties });
    if (handleMessage !== undefined) client.handleMessage = handleMessage;
    // What fails later is followed by a close, and no news until somebody publishes; unheard it would end the program.
    client.on('error', () => undefined);
    const fail = (error: Error) => {
      stop();
      client.end(true);
      reject(error);
    };
    const close = () => fail(new Error('the connection was closed'));
    const succeed = () => {
      stop();
      resolve(client);
    };
    const stop = () => client.off('error', fail).off('close', close).off('connect', succeed);
    client.on('error', fail).on('close', close).on('connect', succeed);
  });

/** One for all connections: each context has the key loaded for itself, and a TPM has room for few. */
const contextOf = ({ authority, certificate, key }: MqttEnd): SecureContext =>
  createSecureContext({ ca: authority, cert: certificate, key, ...tlsClient });

const openSocket = (client: MqttClient, { host, port, maxPacketBytes }: MqttEnd, secureContext: SecureContext): Duplex => {
  const socket = connect({
    ...{ host, port, secureContext },
    rejectUnauthorized: true,
    ...(isIP(host) === 0 ? { servername: host } : {}),
  });
  // Before there is a connection its faults are the client's; after that the library listens itself.
  const refused = (error: Error) => client.emit('error', error);
  socket.once('error', refused).once('secureConnect', () => socket.off('error', refused).setNoDelay(true));
  return checkedPackets(socket, maxPacketBytes);
};
